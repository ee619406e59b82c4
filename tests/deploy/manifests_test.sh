#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts the server whose endpoints the manifests name, with the configuration that they mount, and runs
# manifests_test.py.
# Usage: manifests_test.sh SERVER: the program grove-server.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
server=$1
# Debian's own: its packages are for this one.
python=/usr/bin/python3

# shellcheck source-path=SCRIPTDIR source=running_server.sh disable=SC1091
. "$here/running_server.sh"

need() { # need PACKAGE COMMAND...
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || { echo "FAILED: apt-get install $package" >&2; exit 1; }
}
need curl command -v curl
need kubernetes-client command -v kubectl
need python3-kubernetes "$python" -c 'import kubernetes'
need python3-yaml "$python" -c 'import yaml'

start_server "$server" --config "$here/../../deploy/kubernetes/grove.toml"
GROVE_ADMIN_URL="http://$admin_address" GROVE_ADDRESS=$address GROVE_CLI=${server%-server} PYTHONDONTWRITEBYTECODE=1 "$python" "$here/manifests_test.py"
stop_server
