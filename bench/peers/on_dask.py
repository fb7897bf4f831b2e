"""Items that do nothing, by 2 workers of dask.distributed, each a process with one thread, on loopback: items a second, from
the first that is sent to the last answer. usage: dask.py ITEMS"""

import sys
import time

import distributed


def nothing(item):
    return item


if __name__ == "__main__":
    count = int(sys.argv[1])
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as cluster, distributed.Client(cluster) as client:
        client.gather(client.map(nothing, range(100), pure=False))
        begin = time.monotonic()
        answers = client.gather(client.map(nothing, range(count), pure=False))
        took = time.monotonic() - begin
        if answers != list(range(count)):
            sys.exit("dask: not all answers came")
        print(f"rate\t{count / took:.0f}")
