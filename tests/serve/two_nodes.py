"""A program that runs a cluster of two nodes on this machine until its standard input closes.

It is a program of its own, because Ray reads the environment variables when it is imported.
"""

import json
import os
import sys
from pathlib import Path

from ray.cluster_utils import Cluster

folder = sys.argv[1]
Path("/tmp/ray").mkdir(exist_ok=True)  # cluster_utils always writes an address there
cluster = Cluster(
    initialize_head=True,
    head_node_args={
        "num_cpus": 1,
        "node_ip_address": "127.0.0.1",
        "temp_dir": folder,
        "include_dashboard": False,
    },
)
second = cluster.add_node(num_cpus=1, node_ip_address="127.0.0.2")
cluster.wait_for_nodes(timeout=30)
print(json.dumps({"address": cluster.address, "pid": os.getpid()}), flush=True)
for line in sys.stdin:
    if line.strip() == "lose":
        cluster.remove_node(second, allow_graceful=False)
        print("lost", flush=True)
cluster.shutdown()
