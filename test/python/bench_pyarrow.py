"""bench_pyarrow.py IDS MAX_SEQ_LENGTH ROWS_PER_GROUP OUT: CPU seconds that pyarrow needs to write the ids of a raw int32 file as packed rows."""
import json
import os
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ids = np.fromfile(sys.argv[1], dtype=np.int32)
length, rows_per_group, out = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


def table():
    labels = np.empty_like(ids)
    labels[:-1] = ids[1:]
    labels[length - 1 :: length] = -100
    offsets = pa.array(np.arange(0, len(ids) + 1, length, dtype=np.int32))
    columns = {"input_ids": ids, "attention_mask": np.ones_like(ids), "labels": labels}
    return pa.table({name: pa.ListArray.from_arrays(offsets, pa.array(values)) for name, values in columns.items()})


def cpu_seconds(run):
    start = time.process_time()
    run()
    return time.process_time() - start


def measure(**options):
    rows = table()
    runs = [cpu_seconds(lambda: pq.write_table(rows, out, row_group_size=rows_per_group, **options)) for _ in range(3)]
    return {"cpuSeconds": min(runs), "bytes": os.path.getsize(out)}


measured = {codec: measure(compression=codec) for codec in ["snappy", "zstd", "none"]}
print(json.dumps({"tableCpuSeconds": cpu_seconds(table), **measured}))
