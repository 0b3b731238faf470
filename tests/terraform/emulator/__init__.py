"""AWS on one machine for Terraform: moto's server, with what moto lacks or answers unlike AWS put right.

Each module owns one service and says what moto leaves out. Terraform's own provider talks to it as it talks to AWS, so a
second plan that is empty means that every attribute came back as it was sent. Nothing here runs a broker, a cache or a
function: that is the local stack's.
"""
