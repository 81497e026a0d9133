"""Prints, of each Parquet file of documents that is named, all rows and what its footer says."""

import json
import sys

import pyarrow.parquet as pq


def read(path):
    file = pq.ParquetFile(path)
    table = file.read()
    table.validate(full=True)
    return {
        "columns": {name: table.column(name).to_pylist() for name in table.column_names},
        "fields": [f"{field.name}: {field.type}{'' if field.nullable else ' not null'}" for field in table.schema],
        "rowGroups": file.metadata.num_row_groups,
        "createdBy": file.metadata.created_by,
    }


print(json.dumps([read(path) for path in sys.argv[1:]]))
