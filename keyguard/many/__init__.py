"""Audits many repositories: finds them, spreads them over workers, and keeps what was found in one file.

`repositories` says which they are, `executors` where the work is done, `reading` what is done with one, `running`
brings it there and back, `store` keeps the results (`parquet` exports them), and `comparing` tells what is new since an
earlier audit. `audit_many` is all of it.
"""

from __future__ import annotations

from keyguard.catalogue import load
from keyguard.many.comparing import compare, gone, read_last
from keyguard.many.executors import cluster, local
from keyguard.many.reading import Options, engine, grouping
from keyguard.many.repositories import Repo, repositories_of
from keyguard.many.running import Ended, Progress, run
from keyguard.many.store import open_store
from keyguard.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keyguard.leaks import Audit, Leak

__all__ = ["Ended", "Many", "Options", "Progress", "Repo", "audit_many", "repositories_of"]


class Many(NamedTuple):
    """What came of an audit of many: `gone` are the leaks of the one it was compared with that are no more."""

    audit: Audit
    ended: Ended
    gone: tuple[Leak, ...] = ()


def audit_many(  # noqa: PLR0913  # what, how, where, since when, and who is told
    repos: Sequence[Repo],
    options: Options,
    store: str,
    *,
    jobs: int,
    address: str | None = None,
    last: str | None = None,
    again: bool = False,
    advance: Callable[[Progress], None] | None = None,
) -> Many:
    """Audit repositories into the file `store`, in `jobs` processes or on the Dask cluster at `address`.

    What did not change since the store last saw it is not read, unless `again`. `last` is what to compare with: an
    earlier store (it may be this one) or a JSON report. `advance` hears of each repository and unit that is done.
    Ctrl-C ends it soon, with what was done until then.

    Raises:
        UsageError: the store or `last` cannot be used, the cluster is not as it should be, or went out of reach.
    """
    earlier = None if last is None else read_last(last)
    group = grouping(load(), options.lang)
    with open_store(store) as opened:
        with local(jobs, ("keyguard.many.reading",)) if address is None else cluster(address) as workers:
            ended = run(repos, engine(options), workers, opened, group=group, advance=advance, again=again)
        audit = opened.read()
        if earlier is None:
            return Many(audit, ended)
        audit = compare(audit, earlier)
        opened.put_leaks(audit.leaks)
        return Many(audit, ended, gone(audit, earlier))
