# SPDX-License-Identifier: Apache-2.0
"""Checks a manifest as the API server does with strict field validation: each value against the type that the
Kubernetes API gives it, required fields and allowed values, and no field that the API does not know.

The API's types are the classes of Debian's python3-kubernetes, which are generated from its OpenAPI description."""
import re

from kubernetes import client

SCALARS = {'str': str, 'int': int, 'bool': bool, 'float': (int, float), 'datetime': str}


def faults(manifest):
    """What is wrong with a manifest, as sentences that name the field; none when it is right."""
    group, _, version = manifest['apiVersion'].rpartition('/')
    name = version.capitalize() + manifest['kind']
    if not hasattr(client, name):
        return [f'no type is known for {group} {name}']
    found = []
    _check(manifest, name, manifest['kind'], found)
    return found


def _check(value, type_name, path, found):
    """Returns the API's object for a value, or None, and appends to `found` what is wrong with it."""
    container = re.fullmatch(r'list\[(.+)\]|dict\(str, (.+)\)', type_name)
    if container:
        return _check_container(value, *container.groups(), path, found)
    if type_name == 'object':
        return value
    if type_name in SCALARS:
        # For Python a truth value is a number too.
        if not isinstance(value, SCALARS[type_name]) or (isinstance(value, bool) and type_name != 'bool'):
            found.append(f'{path}: {value!r} is not of type {type_name}')
        return value
    return _check_object(value, getattr(client, type_name), path, found)


def _check_container(value, item_type, value_type, path, found):
    if not isinstance(value, list if item_type else dict):
        found.append(f'{path}: not a {"list" if item_type else "map"}')
        return None
    if item_type:
        return [_check(item, item_type, f'{path}[{index}]', found) for index, item in enumerate(value)]
    return {key: _check(item, value_type, f'{path}.{key}', found) for key, item in value.items()}


def _check_object(value, model, path, found):
    if not isinstance(value, dict):
        found.append(f'{path}: not a map')
        return None
    attributes = {key: attribute for attribute, key in model.attribute_map.items()}
    found.extend(f'{path}: unknown field {key}' for key in value if key not in attributes)
    known = {
        attributes[key]: _check(item, model.openapi_types[attributes[key]], f'{path}.{key}', found)
        for key, item in value.items()
        if key in attributes and item is not None
    }
    try:
        # Its constructor knows what is required and which values are allowed.
        return model(**known)
    except ValueError as error:
        found.append(f'{path}: {error}')
        return None
