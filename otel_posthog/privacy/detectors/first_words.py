"""The words with which something begins that a detector looks for: a label, a scheme, a folder of accounts.

Words are letters from A to Z without a break, in any case. Which of them a text has is found in one pass for all
detectors; a detector whose words are not among them need not search the text.
"""

from __future__ import annotations

# Labels of national identity numbers. Short ones count in capitals only: `sin`, `run` and `pan` are words.
NATIONAL_LABELS = (
    "SSN ITIN EIN NIN NINO NHS DNI NIF NIE NIR CPF CNPJ BSN PESEL NIP CPR CNP SIN TFN ABN PAN MBI NRIC FIN TCK TCKN "
    "RRN FRN CURP RFC RUT CUIT CUIL PPS PPSN AMKA AFM OIB EGN HETU hetu PNR pnr RVNR SVNR KVNR TIN TNIN SNILS INN NIK "
    "CNIC IRD UTR NIT ssn itin nino"
)
_NATIONAL = (
    f"{NATIONAL_LABELS} social national identity identification id tax taxpayer taxid taxnumber taxfile taxpayerid "
    "taxpayernumber taxpayerfile steuer steuerid steuernummer versichertennummer codice burgerservicenummer "
    "personnummer henkilotunnus fodselsnummer aadhaar aadhar uidai kimlik voter medicare passport pasaporte reisepass "
    "passeport paspoort passaporto pass passnr ausweis driver driving cedula kennitala isikukood asmens personas rodne "
    "license licence thai turkish rsa finnish swedish"
)
_PHONE = (
    "phone telephone mobile telefon telefone telefono telefons telefoon tel fax mob cell cellphone cellular whatsapp "
    "sms gsm handy rufnummer telefonnummer handynummer mobilnummer faxnummer telefoonnummer tlf puh puhelin telefax "
    "celular cellulare portable movil contact my number call reach text"
)
_JOINED_PHONE = ("phone", "mobile", "cell", "contact", "telephone", "fax", "whatsapp")
_JOINED_ENDS = ("number", "num", "no", "nr")

# Features of the prefilter, as it numbers them.
NATIONAL_LABEL = 1 << 24
PHONE_LABEL = 1 << 25
SCHEME = 1 << 26  # of an authorization
HOME = 1 << 27  # a folder of accounts


def _features() -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for feature, words in (
        (NATIONAL_LABEL, _NATIONAL.split()),
        (PHONE_LABEL, [*_PHONE.split(), *(f"{name}{end}" for name in _JOINED_PHONE for end in _JOINED_ENDS)]),
        (SCHEME, ["bearer", "basic", "digest", "token", "apikey", "negotiate"]),
        (HOME, ["home", "users", "settings"]),
    ):
        for word in words:
            found[word.lower().encode()] = found.get(word.lower().encode(), 0) | feature
    return found


FEATURES = _features()
"""The features of the prefilter that a word gives, by the word in small letters."""
