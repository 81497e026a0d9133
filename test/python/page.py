"""Reads a page with an XML parser; prints its tags with their counts, its attributes that could load something, and its texts."""
import json
import sys
import xml.etree.ElementTree as tree

root = tree.parse(sys.argv[1]).getroot()
tags = {}
loading = []
for element in root.iter():
    tags[element.tag] = tags.get(element.tag, 0) + 1
    loading += [value for name, value in element.attrib.items() if name in ("src", "href", "srcset", "action") or name.startswith("on")]
texts = [text for text in root.itertext() if text.strip() != ""]
print(json.dumps({"tags": tags, "loading": loading, "texts": texts}))
