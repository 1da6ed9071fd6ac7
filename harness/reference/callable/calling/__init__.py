"""The calls of Callable: where they go, who is dialled, which verbs run, and what hooks are told.

Made by the Callable system; the API creates voice calls here, and the SIP endpoint hands incoming ones in. It never reads
HTTP requests.
"""
