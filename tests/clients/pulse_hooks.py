"""What chance would hardly do for schemathesis: meet an order that can be moved on, and not lock itself out.

ORDERS (JSON) holds numbers of orders by status. Each is used until a call moved it, in place of a number that fits its schema.
SELF (JSON) holds the numbers of the own `user` and `token`: they are neither changed nor revoked, or every later call were a 401.
Every other call stays as it was drawn.
"""

import json
import os
import re

import schemathesis

ORDERS = json.loads(os.environ.get("ORDERS", "{}"))
SELF = json.loads(os.environ.get("SELF", "{}"))
# Where each step begins.
BEGINS = {"pack": "paid", "ship": "packed", "deliver": "shipped", "cancel": "placed", "return": "delivered"}
NOBODY = 999_999_999


def begins(path, body):
    """The status at which the call makes sense, if it does."""
    if path.endswith("/cancel"):
        return "placed"
    if path.endswith("/returns") and isinstance(body, dict) and set(body) == {"lines"} and body["lines"]:
        return "shipped"
    if path.endswith("/steps") and isinstance(body, dict) and set(body) == {"step"}:
        step = body["step"]
        return BEGINS.get(step) if isinstance(step, str) else None
    return None


def number_of(case):
    return str((case.path_parameters or {}).get("id"))


def send_to(case, number):
    case.path_parameters = {**case.path_parameters, "id": str(number)}


@schemathesis.hook
def before_call(context, case, kwargs):
    path, number = case.operation.path, number_of(case)
    if case.operation.method.upper() != "GET":
        for what in ("user", "token"):
            if path.endswith(f"/{what}s/{{id}}") and number == str(SELF.get(what)):
                send_to(case, NOBODY)
    if "/orders/{id}" not in path or not re.fullmatch("[1-9][0-9]{0,17}", number):
        return
    waiting = ORDERS.get(begins(path, case.body), [])
    if not waiting:
        return
    if path.endswith("/returns"):
        if not all(isinstance(line, dict) and set(line) == {"line", "quantity"} for line in case.body["lines"]):
            return
        case.body = {"lines": [{"line": 1, "quantity": 1}]}
    send_to(case, waiting[0])


@schemathesis.hook
def after_call(context, case, response):
    if 200 <= response.status_code < 300 and case.operation.method.upper() == "POST":
        for waiting in ORDERS.values():
            waiting[:] = [order for order in waiting if str(order) != number_of(case)]
