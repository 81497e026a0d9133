import duckdb
from describe import describe_files


def read(path):
    found = duckdb.sql(f"select * from read_parquet('{path}')")
    rows = found.fetchall()
    columns = {name: [row[c] for row in rows] for c, name in enumerate(found.columns)}
    fields = [f"{name}: {kind}" for name, kind in zip(found.columns, found.types)]
    said = duckdb.sql(
        "select row_group_id, list([stats_min_value::int, stats_max_value::int, stats_null_count] order by column_id) "
        f"from parquet_metadata('{path}') group by all order by all"
    )
    return columns, {"fields": fields, "statistics": [group for _, group in said.fetchall()]}


describe_files(read)
