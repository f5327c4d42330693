"""Audits many repositories: finds them, spreads them over workers, and keeps what was found in one file.

`repositories` says which they are, `executors` where the work is done, `running` brings it there and back, `store`
keeps the results (`parquet` exports them), and `comparing` tells what is new since an earlier audit.
"""
