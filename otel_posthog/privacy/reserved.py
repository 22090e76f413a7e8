"""Property names that PostHog acts on; only the identity stage and the sealing of an event may write them."""

from __future__ import annotations

from functools import lru_cache

_NAMES = frozenset(
    {
        "$set",
        "$set_once",
        "$unset",
        "$groups",
        # What ingestion turns `$groups` into.
        *(f"$group_{index}" for index in range(5)),
        "$ip",
        "$session_id",
        "$window_id",
        "$device_id",
        "$user_id",
        "$distinct_id",
        "distinct_id",
        "$anon_distinct_id",
        "$identified_id",
        "$process_person_profile",
        "$person_mode",
        "$is_identified",
        "$ignore_sent_at",
        "$cookieless_mode",
        "$cookieless_extra",
        "$product_tour_id",
        "token",
    }
)
_PREFIXES = ("$geoip_",)
# A country says little; an app that knows it may tell.
_COARSE = frozenset({"$geoip_country_name", "$geoip_country_code", "$geoip_continent_name", "$geoip_continent_code"})

# The delivery's headers say which library sends; inside an event these would only contradict them.
HEADER_NAMES = frozenset({"$lib", "$lib_version"})

# Names of events that change persons or groups; PostHog refuses them for an event without a person.
PERSON_EVENTS = frozenset(
    {"$identify", "$create_alias", "$merge_dangerously", "$groupidentify", "$set", "$set_once", "$unset"}
)


def reserved_names() -> frozenset[str]:
    """Return the names that PostHog acts on and an app may not set by itself."""
    return _NAMES


# Every event brings the same few names again.
@lru_cache(maxsize=4096)
def is_reserved(name: str) -> bool:
    """Return whether an app may not set the property `name`."""
    return name in _NAMES or (name.startswith(_PREFIXES) and name not in _COARSE)
