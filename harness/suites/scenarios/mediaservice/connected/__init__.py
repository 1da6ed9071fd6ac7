"""Steps on calls that the answers to newCall and callEvent connect with destinations.

- `parties`: who takes part, and what each does;
- `headers`: what stands in the INVITE to a destination or a monitor;
- `reports`: what callbacks tell; `effects`: what the phones see and hear;
- `httpcall`, `splitting`, `adornments`: the action httpcall; operations that take calls apart; greetings and monitors.
"""
