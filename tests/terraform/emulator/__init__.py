"""AWS on one machine for Terraform: moto's server, with fixes where moto lacks something or answers differently from AWS.

Each module covers one service and says what moto lacks. Terraform's real provider uses it like AWS, so an empty second plan means
that every attribute was returned as it was sent. Nothing here runs a broker, a cache or a function; the local stack does.
"""
