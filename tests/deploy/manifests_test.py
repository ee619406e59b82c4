# SPDX-License-Identifier: Apache-2.0
"""What the Kubernetes manifests and the compose file promise, checked on what kustomize renders.

Run by manifests_test.sh, which sets GROVE_ADMIN_URL to the admin address of a running server of this build."""
import copy
import os
import pathlib
import re
import subprocess
import unittest
import urllib.error
import urllib.request

import yaml
from kubernetes_schema import faults

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / 'Dockerfile').read_text()


VERSION = re.search(r'project\(grove VERSION (\S+)', (ROOT / 'CMakeLists.txt').read_text())[1]


def render(folder):
    text = subprocess.run(['kubectl', 'kustomize', ROOT / 'deploy' / folder], check=True, capture_output=True).stdout
    return list(yaml.safe_load_all(text))


MANIFESTS = render('kubernetes')
MONITORING = render('kubernetes_monitoring')
OVERLAY = render('kubernetes_overlay')
OPERATORS_KINDS = ('PodMonitor', 'PrometheusRule')
COMPOSE = yaml.safe_load((ROOT / 'deploy/compose.yaml').read_text())['services']['grove']


def every(kind):
    return [manifest for manifest in MANIFESTS if manifest['kind'] == kind]


def only(kind):
    (manifest,) = every(kind)
    return manifest


STATEFUL_SET = only('StatefulSet')
POD = STATEFUL_SET['spec']['template']
(CONTAINER,) = POD['spec']['containers']
PORTS = {port['name']: port['containerPort'] for port in CONTAINER['ports']}
ENVIRONMENT = {variable['name']: variable['value'] for variable in CONTAINER['env']}


def service(name):
    (found,) = [manifest for manifest in every('Service') if manifest['metadata']['name'] == name]
    return found


def image_port(variable):
    return int(re.search(rf'{variable}=\S*:(\d+)', DOCKERFILE)[1])


def seconds(duration):
    """Seconds of "25s", "2m" or "250ms"."""
    number, unit = re.fullmatch(r'(\d+)(ms|s|m)', duration).groups()
    return int(number) * {'ms': 0.001, 's': 1, 'm': 60}[unit]


def default_of(text):
    """What compose takes for "${NAME:-value}" when the variable is not set."""
    return re.sub(r'\$\{\w+:-([^}]*)\}', r'\1', text)


def pause_of(container):
    """Seconds between the end of a pod being decided and TERM."""
    command = container['lifecycle']['preStop']['exec']['command']
    return int(re.search(r'"milliseconds":(\d+)', command[-1])[1]) / 1000


def shortest_grace(container):
    (drain,) = [variable['value'] for variable in container['env'] if variable['name'] == 'GROVE_DRAIN_TIMEOUT']
    return pause_of(container) + seconds(drain) + 5


def get(path):
    """Status, content type and text of what the running server answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(os.environ['GROVE_ADMIN_URL'] + path, timeout=10) as response:
            return response.status, response.headers['Content-Type'], response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers['Content-Type'], error.read().decode()


class Schema(unittest.TestCase):
    def test_every_manifest_is_what_the_api_takes(self):
        for manifest in MANIFESTS + OVERLAY:
            if manifest['kind'] not in OPERATORS_KINDS:
                self.assertEqual(faults(manifest), [])

    def test_a_misspelt_field_a_wrong_type_and_a_missing_field_are_faults(self):
        wrong = copy.deepcopy(STATEFUL_SET)
        wrong['spec']['template']['spec']['containers'][0]['livenesProbe'] = {}
        wrong['spec']['replicas'] = 'one'
        del wrong['spec']['selector']
        found = '\n'.join(faults(wrong))
        self.assertIn('containers[0]: unknown field livenesProbe', found)
        self.assertIn("spec.replicas: 'one' is not of type int", found)
        self.assertIn('`selector`, must not be `None`', found)


class Endpoints(unittest.TestCase):
    def test_probes_ask_for_what_a_running_server_serves(self):
        probes = [CONTAINER[name]['httpGet'] for name in ('startupProbe', 'livenessProbe', 'readinessProbe')]
        self.assertEqual([probe['path'] for probe in probes], ['/readyz', '/livez', '/readyz'])
        for probe in probes:
            self.assertEqual(probe['port'], 'admin')
            self.assertEqual(get(probe['path'])[0], 200)

    def test_a_path_that_is_not_served_would_be_noticed(self):
        self.assertEqual(get('/no-such-probe')[0], 404)

    def test_scrape_annotations_name_a_page_in_the_text_format_of_prometheus(self):
        annotations = POD['metadata']['annotations']
        self.assertEqual(annotations['prometheus.io/scrape'], 'true')
        self.assertEqual(int(annotations['prometheus.io/port']), PORTS['admin'])
        status, content_type, text = get(annotations['prometheus.io/path'])
        self.assertEqual(status, 200)
        self.assertRegex(content_type, '^text/plain')
        self.assertRegex(text, '(?m)^# TYPE grove_')


class Monitoring(unittest.TestCase):
    def test_the_monitor_scrapes_the_pod_at_its_admin_port(self):
        (monitor,) = [manifest for manifest in MONITORING if manifest['kind'] == 'PodMonitor']
        self.assertLessEqual(monitor['spec']['selector']['matchLabels'].items(), POD['metadata']['labels'].items())
        (endpoint,) = monitor['spec']['podMetricsEndpoints']
        self.assertIn(endpoint['port'], PORTS)
        self.assertEqual(get(endpoint['path'])[0], 200)

    def test_rules_ask_for_metrics_that_the_server_has_and_say_what_to_do(self):
        served = set(re.findall(r'(?m)^# TYPE (grove_\w+)', get('/metrics')[2]))
        rules = [rule for manifest in MONITORING if manifest['kind'] == 'PrometheusRule'
                 for group in manifest['spec']['groups'] for rule in group['rules']]
        self.assertGreater(len(rules), 3)
        for rule in rules:
            asked = set(re.findall(r'\bgrove_\w+', rule['expr']))
            self.assertTrue(asked and asked <= served, f'{rule["alert"]}: {asked - served}')
            self.assertEqual({'summary', 'description'}, set(rule['annotations']))
            self.assertIn(rule['labels']['severity'], ('warning', 'critical'))


class Overlay(unittest.TestCase):
    def test_the_example_changes_what_it_says_and_keeps_the_rest(self):
        (server,) = [manifest for manifest in OVERLAY if manifest['kind'] == 'StatefulSet']
        pod = server['spec']['template']['spec']
        (container,) = pod['containers']
        self.assertEqual(container['image'], f'registry.example.com/grove:{VERSION}')
        self.assertEqual({manifest['metadata']['namespace'] for manifest in OVERLAY}, {'grove'})
        self.assertEqual(container['lifecycle'], CONTAINER['lifecycle'])
        self.assertEqual(container['securityContext'], CONTAINER['securityContext'])
        self.assertGreaterEqual(pod['terminationGracePeriodSeconds'], shortest_grace(container))


class Network(unittest.TestCase):
    def test_container_ports_are_those_that_the_image_listens_on(self):
        self.assertEqual(PORTS, {'grove': image_port('GROVE_LISTEN'), 'admin': image_port('GROVE_ADMIN')})
        self.assertFalse({'GROVE_LISTEN', 'GROVE_ADMIN'} & set(ENVIRONMENT), 'they are the image\'s to say')

    def test_target_ports_of_services_are_named_ports_of_the_container(self):
        for manifest in every('Service'):
            for port in manifest['spec']['ports']:
                self.assertEqual(PORTS[port['targetPort']], port['port'])

    def test_clients_reach_only_ready_pods_and_only_the_request_port(self):
        spec = service('grove')['spec']
        self.assertFalse(spec.get('publishNotReadyAddresses'))
        self.assertEqual([port['name'] for port in spec['ports']], ['grove'])

    def test_a_headless_service_governs_the_stateful_set(self):
        self.assertEqual(service(STATEFUL_SET['spec']['serviceName'])['spec']['clusterIP'], 'None')

    def test_the_policy_admits_the_two_ports_and_lets_nothing_out(self):
        spec = only('NetworkPolicy')['spec']
        self.assertEqual(sorted(spec['policyTypes']), ['Egress', 'Ingress'])
        self.assertTrue(all(rule['from'] for rule in spec['ingress']), 'every rule says who')
        admitted = [port['port'] for rule in spec['ingress'] for port in rule['ports']]
        self.assertEqual(sorted(admitted), sorted(PORTS.values()))
        self.assertFalse(spec.get('egress'))


class Scheduling(unittest.TestCase):
    def test_every_selector_matches_the_labels_of_the_pod(self):
        selectors = [manifest['spec']['selector'] for manifest in every('Service')]
        selectors += [only('NetworkPolicy')['spec']['podSelector']['matchLabels']]
        selectors += [manifest['spec']['selector']['matchLabels']
                      for manifest in (STATEFUL_SET, only('PodDisruptionBudget'))]
        selectors += [constraint['labelSelector']['matchLabels']
                      for constraint in POD['spec']['topologySpreadConstraints']]
        for selector in selectors:
            self.assertTrue(selector)
            self.assertLessEqual(selector.items(), POD['metadata']['labels'].items())

    def test_the_disruption_budget_lets_a_node_be_drained(self):
        self.assertGreaterEqual(only('PodDisruptionBudget')['spec']['maxUnavailable'], 1)

    def test_the_grace_period_exceeds_the_pause_and_the_drain(self):
        self.assertGreater(pause_of(CONTAINER), 2, 'the nodes are told within seconds')
        self.assertGreaterEqual(POD['spec']['terminationGracePeriodSeconds'], shortest_grace(CONTAINER))

    def test_the_pause_before_term_is_a_call_that_the_server_answers_when_it_is_over(self):
        command = CONTAINER['lifecycle']['preStop']['exec']['command']
        short = [word.replace('5000', '50') for word in command]
        done = subprocess.run([os.environ['GROVE_CLI'], *short[1:]], capture_output=True, text=True, check=False,
                              env={'GROVE_SERVER': os.environ['GROVE_ADDRESS']})
        self.assertEqual((done.returncode, done.stdout), (0, '{}\n'), done.stderr)

    def test_the_image_has_a_tag_that_does_not_move(self):
        self.assertEqual(CONTAINER['image'], f'grove:{VERSION}')

    def test_limits_are_whole_cores_and_requests_are_the_same(self):
        resources = CONTAINER['resources']
        self.assertEqual(resources['requests'], resources['limits'])
        self.assertRegex(resources['limits']['cpu'], r'^\d+$')
        self.assertIn('memory', resources['limits'])

    def test_the_configuration_that_is_mounted_is_the_one_that_is_generated(self):
        (volume,) = POD['spec']['volumes']
        (mount,) = CONTAINER['volumeMounts']
        self.assertEqual(volume['configMap']['name'], only('ConfigMap')['metadata']['name'])
        self.assertEqual(mount['name'], volume['name'])
        (file,) = only('ConfigMap')['data']
        self.assertEqual(CONTAINER['args'], ['--config', f'{mount["mountPath"]}/{file}'])


class Privileges(unittest.TestCase):
    def test_the_pod_is_an_ordinary_user_without_privileges_on_a_root_that_it_cannot_write(self):
        pod = POD['spec']['securityContext']
        self.assertEqual((pod['runAsNonRoot'], pod['runAsUser'], pod['runAsGroup']), (True, 65532, 65532))
        self.assertEqual(pod['seccompProfile'], {'type': 'RuntimeDefault'})
        self.assertIn('\nUSER 65532:65532\n', DOCKERFILE)
        self.assertEqual(CONTAINER['securityContext'], {
            'allowPrivilegeEscalation': False,
            'privileged': False,
            'readOnlyRootFilesystem': True,
            'capabilities': {'drop': ['ALL']},
        })
        self.assertFalse({'hostNetwork', 'hostPID', 'hostIPC'} & set(POD['spec']))

    def test_the_pod_has_no_token(self):
        account = only('ServiceAccount')
        self.assertEqual(POD['spec']['serviceAccountName'], account['metadata']['name'])
        self.assertIs(account['automountServiceAccountToken'], False)
        self.assertIs(POD['spec']['automountServiceAccountToken'], False)

    def test_the_pod_has_no_variables_of_services_whose_names_would_be_taken_for_options(self):
        self.assertIs(POD['spec']['enableServiceLinks'], False)


class Compose(unittest.TestCase):
    def test_it_stops_after_the_drain_and_never_before(self):
        drain = seconds(default_of(COMPOSE['environment']['GROVE_DRAIN_TIMEOUT']))
        self.assertGreaterEqual(seconds(default_of(COMPOSE['stop_grace_period'])), drain + 5)
        self.assertEqual(COMPOSE['stop_signal'], 'SIGTERM')

    def test_it_publishes_the_request_port_on_loopback_and_not_the_admin_port(self):
        ports = [default_of(port) for port in COMPOSE['ports']]
        self.assertEqual(ports, [f'127.0.0.1:7400:{image_port("GROVE_LISTEN")}'])

    def test_it_locks_the_container_down_and_bounds_it(self):
        self.assertEqual(COMPOSE['user'], '65532:65532')
        self.assertIs(COMPOSE['read_only'], True)
        self.assertEqual(COMPOSE['cap_drop'], ['ALL'])
        self.assertEqual(COMPOSE['security_opt'], ['no-new-privileges:true'])
        self.assertNotIn('privileged', COMPOSE)
        self.assertLessEqual({'cpus', 'mem_limit', 'pids_limit'}, set(COMPOSE))
        self.assertRegex(COMPOSE['restart'], r'^on-failure:\d+$')

    def test_it_starts_on_a_machine_with_one_core(self):
        self.assertEqual(default_of(COMPOSE['cpus']), '1')


if __name__ == '__main__':
    unittest.main(verbosity=2)
