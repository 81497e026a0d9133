"""rows.py pyarrow|datasets FILE : the rows of a Parquet file as JSON."""
import json
import sys
import tempfile

reader, path = sys.argv[1:]
if reader == "pyarrow":
    import pyarrow.parquet as pq

    rows = pq.read_table(path).to_pylist()
else:
    import datasets

    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as folder:
        rows = datasets.load_dataset("parquet", data_files=path, split="train", cache_dir=folder, keep_in_memory=True).to_list()
print(json.dumps(rows))
