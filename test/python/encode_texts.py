"""Usage: python encode_texts.py TOKENIZER_JSON TEXTS_JSON: ids of each text by the reference, without and with special tokens, and the decoded ids."""

import json
import sys

from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.argv[1])
tokenizer.no_truncation()
tokenizer.no_padding()
with open(sys.argv[2]) as file:
    texts = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in json.load(file)]
found = []
for text in texts:
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    found.append({"ids": ids, "special": tokenizer.encode(text).ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
print(json.dumps(found))
