"""Tables of countries, regions and currencies, made from packages by ``make tables``."""
