"""Reads a dashboard into Grafana's models and writes it again: what gets lost on the way is no part of the schema."""

import json
import sys

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard


def lost(before, after, path=""):
    if isinstance(before, dict):
        for key, value in before.items():
            if isinstance(after, dict) and key in after:
                yield from lost(value, after[key], f"{path}/{key}")
            else:
                yield f"{path}/{key}"
    elif isinstance(before, list):
        for place, value in enumerate(before):
            if isinstance(after, list) and place < len(after):
                yield from lost(value, after[place], f"{path}/{place}")
            else:
                yield f"{path}/{place}"
    elif before != after:
        yield f"{path}: {before!r} became {after!r}"


plugins.register_default_plugins()  # else the options of panels are not checked
with open(sys.argv[1]) as file:
    dashboard = json.load(file)
found = list(lost(dashboard, json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))))
print("\n".join(found))
sys.exit(bool(found))
