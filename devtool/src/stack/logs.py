"""Copies what the functions log from MiniStack's CloudWatch Logs into one file per function.

Reads one line of JSON from standard input: endpoint, region, and files (log group to file). Ends after a last
round when standard input is closed. Every invocation writes one log stream, at its end; a stream is deleted once it
is copied, so that a round costs what is new and not what has ever been logged.
"""

import json
import select
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import HTTPClientError

order = json.loads(sys.stdin.readline())
logs = boto3.client(
    "logs",
    endpoint_url=order["endpoint"],
    region_name=order["region"],
    config=Config(retries={"total_max_attempts": 1}),
)


def copy(group, file):
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group)
    streams = [s for page in pages for s in page["logStreams"]]
    for stream in sorted(streams, key=lambda s: s.get("firstEventTimestamp", 0)):
        name = {"logGroupName": group, "logStreamName": stream["logStreamName"]}
        try:
            messages = [e["message"] for e in logs.get_log_events(startFromHead=True, **name)["events"]]
        except logs.exceptions.ResourceNotFoundException:
            # A page that was read while streams were deleted may name one twice.
            continue
        # MiniStack's last line of an invocation; without it the stream is still being written.
        if messages and messages[-1].startswith("REPORT"):
            file.write("\n".join(messages) + "\n")
            logs.delete_log_stream(**name)


files = {group: open(path, "w", encoding="utf-8", buffering=1) for group, path in order["files"].items()}
last = False
while not last:
    # A second's wait that ends at once when standard input is closed.
    last = bool(select.select([sys.stdin], [], [], 1)[0])
    try:
        for group, file in files.items():
            copy(group, file)
    except HTTPClientError:
        # MiniStack is gone, and what it held with it.
        break
