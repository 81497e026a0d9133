import duckdb
from describe import describe_files


def read(path):
    found = duckdb.sql(f"select * from read_parquet('{path}')")
    rows = found.fetchall()
    columns = {name: [row[c] for row in rows] for c, name in enumerate(found.columns)}
    return columns, [f"{name}: {kind}" for name, kind in zip(found.columns, found.types)]


describe_files(read)
