#!/usr/bin/env python3
"""An independent count over retail files, by the documented rules and none of the shop's code.

usage: oracle.py FILE... > expected.json

It holds everything in memory and is as plain as can be, so that it can be checked by reading it.
"""

import csv
import datetime
import json
import re
import sys
from collections import Counter, defaultdict
from decimal import Decimal

csv.field_size_limit(1 << 40)
LARGEST = 2**63 - 1
# Beyond these a number counts as overflow.
MAX_PIECES, MAX_PENCE, MAX_AMOUNT, MAX_INVOICE = 10**9, 10**11, 10**13, 100


def rows_of(path):
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    # A header has no digits; a file may lack one.
    header = rows and verdict(rows[0])[0] == "malformed" and not re.search("[0-9]", "".join(rows[0]))
    return rows[1:] if header else rows


def date_of(text):
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", text):
        return None
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None


def verdict(row):
    """(kind or reason, fields)"""
    if len(row) != 8 or any("\0" in field for field in row):
        return "malformed", None
    if any("\ud800" <= char <= "\udfff" for field in row for char in field):
        return "malformed", None
    invoice, code, description, quantity, date, price, customer, country = row
    invoice, code, country = invoice.strip(), code.strip().upper(), country.strip()
    if not 1 <= len(invoice.encode()) <= MAX_INVOICE or not re.fullmatch(r"-?[0-9]+", quantity) or not date_of(date):
        return "malformed", None
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", price) or not re.fullmatch(r"([0-9]+(\.0+)?)?", customer):
        return "malformed", None
    quantity, price = int(quantity), Decimal(price)
    pence = abs(int(price * 100))
    if abs(quantity) > MAX_PIECES or pence > MAX_PENCE or abs(quantity) * pence > MAX_AMOUNT:
        return "malformed", None
    if customer and int(customer.split(".")[0]) > LARGEST:
        return "malformed", None
    if not description.strip():
        return "no_description", None
    if price <= 0:
        return "no_price", None
    if price * 100 != int(price * 100):
        return "price_precision", None
    if not re.fullmatch(r"[0-9]{5}[A-Z]{0,2}", code):
        return "not_goods", None
    fields = (invoice, code, quantity, date, int(price * 100), customer.split(".")[0], country)
    if invoice.startswith("C"):
        return ("bad_return", None) if quantity >= 0 else ("return", fields)
    return ("bad_quantity", None) if quantity <= 0 else ("sale", fields)


def count(paths):
    rows, kinds = 0, Counter()
    first = {}  # invoice -> (month, country) of its first line
    orders, returns, customers = defaultdict(int), defaultdict(int), set()
    sold, sold_pieces, returned_pieces = Counter(), Counter(), Counter()
    prices = {}  # code -> (date, price), the newest one, the later line of two
    contents = set()
    for path in paths:
        content = open(path, "rb").read()
        if content in contents:
            continue  # A file is known by its content.
        contents.add(content)
        for row in rows_of(path):
            rows += 1
            kind, fields = verdict(row)
            kinds[kind] += 1
            if not fields:
                continue
            invoice, code, quantity, date, pence, customer, country = fields
            first.setdefault(invoice, (date[:7], country))
            if kind == "return":
                returns[invoice] += -quantity * pence
                returned_pieces[code] += -quantity
                continue
            orders[invoice] += quantity * pence
            sold[code] += quantity * pence
            sold_pieces[code] += quantity
            if customer:
                customers.add(int(customer))
            if code not in prices or prices[code][0] <= date:
                prices[code] = (date, pence)
    by_month, by_country, refunds_by_month = Counter(), Counter(), Counter()
    for invoice, pence in orders.items():
        by_month[first[invoice][0]] += pence
        by_country[first[invoice][1]] += pence
    for invoice, pence in returns.items():
        refunds_by_month[first[invoice][0]] += pence
    report = {
        "rows": rows,
        "sale_lines": kinds.pop("sale", 0),
        "return_lines": kinds.pop("return", 0),
        "orders": len(orders),
        "returns": len(returns),
        "customers": len(customers),
        "revenue_pence": sum(orders.values()),
        "refunds_pence": sum(returns.values()),
        "by_month": dict(sorted(by_month.items())),
        "refunds_by_month": dict(sorted(refunds_by_month.items())),
        "by_country": dict(sorted(by_country.items())),
        "dead": dict(sorted(kinds.items())),
        "products_sold": len(sold),
        "top": [list(entry) for entry in sorted(sold.items(), key=lambda entry: (-entry[1], entry[0]))[:10]],
    }
    # The supplier delivers what is sold, so what is left in the end is what came back.
    stock = {code: returned_pieces[code] for code in sorted(sold_pieces.keys() | returned_pieces.keys())}
    return {"report": report, "stock": stock, "prices": {code: price for code, (_, price) in sorted(prices.items())}}


if __name__ == "__main__":
    json.dump(count(sys.argv[1:]), sys.stdout, indent=1)
    print()
