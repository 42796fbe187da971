#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_html.py FILE: is it well-formed HTML that loads nothing?  Prints its text.  Exit code 1 with a message when not."""
import sys
from html.parser import HTMLParser

ALONE = {"meta", "link", "img", "source", "br"}


class Checker(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def fail(self, message):
        sys.exit(f"line {self.getpos()[0]}: {message}")

    def handle_starttag(self, tag, attributes):
        if tag == "script":
            self.fail("a script")
        if tag not in ALONE:
            self.open.append(tag)
        for name, value in attributes:
            if name.startswith("on"):
                self.fail(f"{tag} {name}")
            if name in ("src", "srcset", "href") and not value.startswith("data:"):
                self.fail(f"{tag} {name} loads {value[:80]}")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.fail(f"</{tag}> closes nothing")

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)


checker = Checker()
checker.feed(open(sys.argv[1], encoding="utf-8").read())
checker.close()
if checker.open:
    sys.exit(f"not closed: {checker.open}")
print("".join(checker.text))
