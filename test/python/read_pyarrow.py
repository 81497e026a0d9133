import pyarrow.parquet as pq
from describe import describe_files


def read(path):
    file = pq.ParquetFile(path)
    table = file.read()
    table.validate(full=True)
    groups = [file.metadata.row_group(g) for g in range(file.metadata.num_row_groups)]
    schema = {
        "arrow": [str(field) for field in table.schema],
        "keyValues": {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()},
        "createdBy": file.metadata.created_by,
        "statistics": [[statistics(group.column(c)) for c in range(group.num_columns)] for group in groups],
    }
    return table.to_pydict(), schema


def statistics(column):
    seen = column.statistics
    return [seen.min, seen.max, seen.null_count]


describe_files(read)
