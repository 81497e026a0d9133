"""Usage: python bench_tokenizers.py TOKENIZER_JSON TEXTS_JSON: CPU seconds of one thread, and a hash of the ids."""

import hashlib
import json
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy
from tokenizers import Tokenizer

tokenizer = Tokenizer.from_file(sys.argv[1])
tokenizer.no_truncation()
tokenizer.no_padding()
with open(sys.argv[2]) as file:
    texts = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in json.load(file)]
seconds, tokens, digest = 0.0, 0, hashlib.sha256()
for text in texts:
    before = time.process_time()
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    seconds += time.process_time() - before
    tokens += len(ids)
    digest.update(numpy.array(ids, dtype="<i4").tobytes())
print(json.dumps({"cpuSeconds": seconds, "tokens": tokens, "ids": digest.hexdigest()}))
