"""Where somebody is, as numbers: in lists, maps, JSON and attributes beside each other, on both sides."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from otel_posthog.errors import Guard
from otel_posthog.health import Health
from otel_posthog.model import Receipt
from otel_posthog.operational import Redactor
from otel_posthog.policy import FrozenMap, HitMethod, OperationalPolicy, PrivacyPolicy
from otel_posthog.privacy import Filter

LAT, LON = 52.520008, 13.404954
PAIR = [LAT, LON]
FILTER = Filter(PrivacyPolicy())

PLACES: dict[str, dict[str, object]] = {
    "a list": {"gps": PAIR},
    "a tuple": {"gps": (LAT, LON)},
    "a list of either order": {"note": [151.2093, -33.8688]},
    "a list under any key": {"note": PAIR},
    "coordinates": {"coordinates": PAIR},
    "one coordinate": {"coordinates": LAT},
    "one number": {"gps": LAT},
    "a plural": {"latitudes": LAT},
    "a location": {"location": PAIR},
    "a position": {"position": PAIR},
    "a location of which one number is round": {"location": [52.5, LON]},
    "a location and its altitude": {"location": [LON, LAT, 34.5]},
    "numbers as texts": {"location": [str(LAT), str(LON)]},
    "decimals": {"location": [Decimal(str(LAT)), Decimal(str(LON))]},
    "a map of axes": {"location": {"x": LON, "y": LAT}},
    "a map": {"where": {"lat": LAT, "lng": LON}},
    "GeoJSON": {"geometry": {"type": "Point", "coordinates": PAIR[::-1]}},
    "a line of GeoJSON": {"geometry": {"type": "LineString", "coordinates": [PAIR[::-1], PAIR[::-1]]}},
    "a list of pairs": {"path": [PAIR, PAIR]},
    "JSON": {"note": json.dumps(PAIR)},
    "JSON in JSON": {"note": json.dumps({"a": json.dumps({"at": PAIR})})},
    "GeoJSON as a text": {"note": json.dumps({"type": "Point", "coordinates": PAIR[::-1]})},
    "two attributes": {"latitude": LAT, "longitude": LON},
    "two attributes, one with a long name": {"lat": LAT, "long": LON},
    "two attributes in humps": {"startLat": LAT, "startLong": LON},
    "two axes": {"geo.location.x": LON, "geo.location.y": LAT},
    "two axes in capitals": {"locationX": LON, "locationY": LAT},
    "two axes as texts": {"location.x": str(LON), "location.y": str(LAT)},
    "a list that was made flat": {"location.0": LAT, "location.1": LON},
    "a list that was made flat, with brackets": {"location[0]": LAT, "location[1]": LON},
    "millionths of a degree": {"lat_e6": int(LAT * 1e6), "lon_e6": int(LON * 1e6)},
    "a list under a place of time": {"location_times": PAIR, "last_position_ms": PAIR[::-1]},
    "corners": {"max": PAIR, "min": PAIR},
    "a text": {"note": f"at {LAT}, {LON}"},
    "well-known text": {"note": f"POINT(151.209300 -33.868800) POINT({LON} {LAT})"},
    "a log line": {"note": f"fix lat: {LAT}, lng: {LON} ok"},
}
HARMLESS: dict[str, dict[str, object]] = {
    "pixels": {"coordinates": [120, 340]},
    "a position in a player": {"position": 83.123456},
    "a position on a page": {"position": [12.5, 83.25]},
    "a city": {"location": [52.52, 13.4]},
    "a coarse coordinate": {"lat": 52.52, "lon": 13.4},
    "shares": {"note": [0.123456, 0.654321]},
    "prices": {"note": [12.99, 99.5]},
    "measurements": {"note": [12.123456, 13.123456, 14.123456]},
    "large numbers": {"note": [1732412345.123456, 1732412346.123456]},
    "latencies": {"latency": [12.345678, 101.987654], "app.durations_ms": [1.234567, 2.345678]},
    "quantiles, nested": {"rpc": {"latencyQuantiles": [[12.345678, 101.987654]], "cpu": [1.234567, 2.345678]}},
    "prices in JSON": {"note": json.dumps({"prices": [12.345678, 101.987654]})},
    "axes of something else": {"mouse.x": 120.123456, "mouse.y": 80.123456},
    "an axis alone": {"location.x": LON},
    "a long one": {"long": 13.404954},
    "numbers that are none": {"location": [True, None], "gps": []},
    "a huge number": {"position": [10**18, 1]},
}


def redacted(given: dict[str, object]) -> object:
    """Return what the operational side leaves of the attributes of an item."""
    return Redactor(OperationalPolicy(), FILTER, Guard(Health())).attributes(given)


@pytest.mark.parametrize("what", PLACES)
def test_a_place_in_numbers_leaves_neither_side(what: str) -> None:
    """Whatever holds the two numbers, and whatever type they have: nothing of them comes out."""
    numbers = (str(LAT), str(LON), "151.2", "33.86", str(int(LAT * 1e6)), str(int(LON * 1e6)))
    receipt = Receipt()
    for left in (FILTER.properties(PLACES[what], receipt), redacted(PLACES[what])):
        assert not [number for number in numbers if number in repr(left)]
    assert receipt.entries


@pytest.mark.parametrize("what", HARMLESS)
def test_numbers_that_are_no_place_stay(what: str) -> None:
    """Pixels, shares, measurements, cities: the same values, and on the operational side the same object."""
    given = HARMLESS[what]
    assert FILTER.properties(given, Receipt()) == given
    assert redacted(given) is given


def test_the_first_half_of_a_place_is_not_remembered_as_harmless() -> None:
    """Half of a place as a text stays alone, and goes when the same text comes with its other half."""
    redactor = Redactor(OperationalPolicy(), FILTER, Guard(Health()))
    alone = {"location.x": str(LON)}
    assert redactor.attributes(alone) is alone
    assert redactor.attributes({**alone, "location.y": str(LAT)}) == {"location.x": "[gps]", "location.y": "[gps]"}


@pytest.mark.parametrize("what", ["a list", "a location", "a map of axes", "two axes", "JSON"])
def test_the_method_of_the_detector_holds_for_numbers_too(what: str) -> None:
    """Dropped, masked, switched off: as for a text."""
    given = PLACES[what] if what != "a list" else {"note": PAIR}

    def left(method: HitMethod) -> dict[str, object]:
        detectors = FrozenMap({**PrivacyPolicy().detectors, "gps": method})
        return Filter(PrivacyPolicy(detectors=detectors)).properties(given, Receipt())

    assert "[gps]" in repr(left(HitMethod.REPLACE))
    assert "****" in repr(left(HitMethod.MASK))
    assert left(HitMethod.DROP) == {}
    assert left(HitMethod.OFF) == given


COUNTED = ["passwords", "secrets", "otps", "pins", "ssns", "phones", "passcodes", "zips", "user.passports", "phone_num",
           "ssn_num", "otp_used", "gps", "coordinates", "apiKeys"]  # fmt: skip


@pytest.mark.parametrize("key", COUNTED)
@pytest.mark.parametrize("value", [1234567, 123456, "1234567", ["1234567"], [7805112], (780511, 4711), "[1234567]"])
def test_a_plural_makes_no_counter_of_a_secret(key: str, value: object) -> None:
    """Digits under the plural of a sensitive word are the secrets themselves, alone, in lists and in texts."""
    for left in (FILTER.properties({key: value}, Receipt()), redacted({key: value})):
        assert "1234567" not in repr(left)
        assert "7805" not in repr(left)
        assert "123456" not in repr(left)


@pytest.mark.parametrize(
    ("key", "value"),
    [("points", 120), ("tokens", 5120), ("tokens", [5120, 80]), ("tokens", "5120"), ("passwords", 3), ("secrets", 120),
     ("emails", 5000), ("emails_sent_count", 123456), ("num_tokens", 1234567), ("token_count", [1, 2]),
     ("token_count", ["1", "2"]), ("tokens_used", 123456), ("gen_ai.usage.input_tokens", 123456), ("cookies", 12),
     ("password_length", 1234567), ("otp_attempts", 1234)],
)  # fmt: skip
def test_a_counter_counts(key: str, value: object) -> None:
    """Few of anything, and many of what is never a number itself, or where the key says that it counts."""
    assert FILTER.properties({key: value}, Receipt()) == {key: value}
    given = {key: value}
    assert redacted(given) is given
