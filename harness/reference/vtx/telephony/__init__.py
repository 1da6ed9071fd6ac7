"""Telephony of VTX: who may register and call, where calls go, and what passes between two telephones.

Used by the VTX system and its call logs. It knows nothing of subscriptions, nor of HTTP.
"""
