"""Recorded traffic: read from files, sorted by sides, cut into calls, judged without any stimulus.

`ringtrue check` reads what somebody recorded; `ringtrue record` records between a platform and an application, and judges
what it recorded in the same way.
"""
