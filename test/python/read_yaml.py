"""Reads a YAML file and prints it as JSON; 'on' stays a name, as on GitHub."""
import json
import sys

import yaml


class Loader(yaml.SafeLoader):
    pass


# YAML 1.1 takes "on" for true; GitHub Actions reads YAML 1.2.
for first in "oO":
    Loader.yaml_implicit_resolvers[first] = [
        (tag, pattern) for tag, pattern in Loader.yaml_implicit_resolvers[first] if tag != "tag:yaml.org,2002:bool"
    ]

with open(sys.argv[1], encoding="utf-8") as file:
    print(json.dumps(yaml.load(file, Loader=Loader)))
