"""Usage: python windows.py CASES_JSON: the windows that the reference cuts each text into, as ids.

A case has the path of a tokenizer.json, a text, length, stride and whether special tokens are added.
"""

import json
import sys

from tokenizers import Tokenizer

tokenizers = {}
windows = []
with open(sys.argv[1]) as file:
    cases = json.load(file)
for case in cases:
    tokenizer = tokenizers.setdefault(case["tokenizer"], None) or Tokenizer.from_file(case["tokenizer"])
    tokenizers[case["tokenizer"]] = tokenizer
    tokenizer.no_padding()
    tokenizer.enable_truncation(case["length"], stride=case["stride"])
    encoding = tokenizer.encode(case["text"], add_special_tokens=case["special"])
    windows.append([one.ids for one in [encoding, *encoding.overflowing]])
print(json.dumps(windows))
