"""Runs MiniStack, and ends it with every function it started once the tool that started it is gone.

The tool holds the other end of standard input and never writes to it: end of file means that the tool has
ended, however it ended. MiniStack leads a process group of its own, so the functions go with it.

What MiniStack does otherwise than AWS, or in a way that a small machine cannot bear, is mended here
(docs/adr/0005-local-aws.md).
"""

import asyncio
import json
import os
import queue
import shutil
import signal
import sys
import threading
import time
from datetime import datetime, timezone

from ministack import app
from ministack.core import iam_actions, lambda_runtime
from ministack.services import apigateway, eventbridge, lambda_svc

extract_iam_action = iam_actions.extract_iam_action
extract_resource_arn = iam_actions.extract_resource_arn
invoke_target = eventbridge._invoke_target
pin_request_origin = app.pin_request_origin
run_reentrant = apigateway.run_reentrant


def extract_iam_action_of_one(*request):
    """MiniStack asks for actions that IAM does not have; who may send one message may send a batch."""
    action = extract_iam_action(*request)
    if action and action.startswith("sqs:"):
        return action.removesuffix("Batch")
    return action


def extract_resource_arn_of_a_move(service, method, path, headers, body, *rest):
    """MiniStack asks for all queues where the call names one by its ARN: StartMessageMoveTask does."""
    if service == "sqs" and headers.get("x-amz-target", "").endswith(".StartMessageMoveTask"):
        return json.loads(body)["SourceArn"]
    return extract_resource_arn(service, method, path, headers, body, *rest)


def pin_request_origin_over_tls(address, _secure):
    """Nothing here speaks TLS, and what the template keeps to TLS would be kept from everybody."""
    return pin_request_origin(address, True)


def invoke_target_rendered(target, event, *rest):
    """MiniStack sends a schedule's input as it stands; EventBridge Scheduler puts the due time in.

    Cron expressions are due at whole minutes, and MiniStack looks every ten seconds.
    """
    if event.get("Source") == "aws.scheduler" and "Input" in target:
        due = datetime.fromtimestamp(event["Time"], timezone.utc).strftime("%Y-%m-%dT%H:%M:00Z")
        target = {**target, "Input": target["Input"].replace("<aws.scheduler.scheduled-time>", due)}
    return invoke_target(target, event, *rest)


async def run_reentrant_from_somewhere(function, *args, **options):
    """MiniStack takes every request for one from 127.0.0.1; whoever wants to come from elsewhere says so in a header.

    And it starts another process for each request that finds none idle, although this machine has a few processors
    only: under load, starting them would leave no time for answering. Here some requests at most are under way, and
    the others wait for their turn. Nobody under way waits for another: functions do not call the API.
    """
    requests = [event for event in args if isinstance(event, dict) and "http" in event.get("requestContext", {})]
    for event in requests:
        source = event["headers"].pop("x-local-source", "127.0.0.1")
        event["requestContext"]["http"]["sourceIp"] = source
    if not requests:
        return await run_reentrant(function, *args, **options)
    async with REQUESTS:
        return await run_reentrant(function, *args, **options)


def drain_log(worker, first_line_wait=0.05, idle_confirm=0.005, hard_cap=0.25):
    """MiniStack looks every millisecond whether a function has said more, which under load is nearly a third of its work."""
    lines, wait, end = [], first_line_wait, time.monotonic() + hard_cap
    try:
        while time.monotonic() < end:
            lines.append(worker._stderr_queue.get(timeout=wait))
            wait = idle_confirm
    except queue.Empty:
        pass
    return "\n".join(lines)


def emit_lambda_logs(function, _request_id, text, *_rest, **_options):
    """MiniStack keeps a stream of log for every invocation, for good; files take no memory and are what people read."""
    group = (function.get("config") or function)["LoggingConfig"]["LogGroup"]
    if text:
        path = os.path.join(LOGS, group.rsplit("/", 1)[-1] + ".log")
        with LOG_LOCK, open(path, "a", encoding="utf-8") as file:
            file.write(text + "\n")


iam_actions.extract_iam_action = extract_iam_action_of_one
iam_actions.extract_resource_arn = extract_resource_arn_of_a_move
eventbridge._invoke_target = invoke_target_rendered
app.pin_request_origin = pin_request_origin_over_tls
apigateway.run_reentrant = run_reentrant_from_somewhere
lambda_runtime.Worker._drain_stderr_bounded = drain_log
lambda_svc._emit_lambda_logs = emit_lambda_logs


# Named by the tool, never guessed: Python's own guess is /tmp when this folder is gone already.
SCRATCH = os.environ["TMPDIR"]
# One file for each function, named as the last part of its log group.
LOGS = os.environ["BOKBRO_LOGS"]
LOG_LOCK = threading.Lock()
# Requests that are under way at most.
REQUESTS = asyncio.Semaphore(8)


def end_with_parent():
    sys.stdin.buffer.read()
    shutil.rmtree(SCRATCH, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)


threading.Thread(target=end_with_parent, daemon=True).start()
app.main()
