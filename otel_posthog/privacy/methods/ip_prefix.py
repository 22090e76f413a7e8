"""An address becomes its network: `/24` of IPv4, `/48` of IPv6, which is what a site gets (RFC 6177)."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv6Address

V4_BITS, V6_BITS = 24, 48

_MAX_CHARS = 64  # an address with a zone and a prefix length is shorter


def ip_prefix(text: str) -> str | None:
    """Return the network of the address that `text` is; of such a network the same; None for anything else."""
    if len(text) > _MAX_CHARS:
        return None
    address, _, length = text.partition("/")
    network = _network(address)
    if network is None:
        return None
    return network if not length or text == network else None


def ip_prefix_of_hit(hit: str, after: str) -> str | None:
    """Return what stands for an address found in a text.

    Args:
        hit: The address.
        after: What follows it; an address that is already written as a network stays as it is.

    Returns:
        None where the hit is no address by itself.
    """
    network = _network(hit)
    if network is None:
        return None
    base, _, length = network.partition("/")
    is_network = hit == base and after.startswith(f"/{length}") and not after[len(length) + 1 :][:1].isdigit()
    return hit if is_network else network


def _network(text: str) -> str | None:
    try:
        if ":" not in text:
            number = int(IPv4Address(text)) >> (32 - V4_BITS) << (32 - V4_BITS)
            return f"{IPv4Address(number)}/{V4_BITS}"
        address = IPv6Address(text.partition("%")[0])
        if address.ipv4_mapped is not None:
            return _network(str(address.ipv4_mapped))
        return f"{IPv6Address(int(address) >> (128 - V6_BITS) << (128 - V6_BITS))}/{V6_BITS}"
    except AddressValueError:
        return None
