"""Countries and some of their cities, with the facts that records of people and shops need."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    city: str
    region: str
    postcode: str  # postcode of the centre; `#` stands for any digit, `@` for any letter
    area: str  # telephone area code, without the leading zero
    latitude: float
    longitude: float
    country: str
    country_code: str
    dial_code: str
    currency: str
    timezone: str
    language: str


# country, code, dial, currency, timezone, language
#   city | region | postcode | area code | latitude | longitude [| timezone]
_TABLE = """
United States, US, 1, USD, America/New_York, en
  New York | New York | 100## | 212 | 40.71 | -74.01
  Boston | Massachusetts | 021## | 617 | 42.36 | -71.06
  Chicago | Illinois | 606## | 312 | 41.88 | -87.63 | America/Chicago
  Austin | Texas | 787## | 512 | 30.27 | -97.74 | America/Chicago
  Denver | Colorado | 802## | 303 | 39.74 | -104.99 | America/Denver
  Seattle | Washington | 981## | 206 | 47.61 | -122.33 | America/Los_Angeles
  San Francisco | California | 941## | 415 | 37.77 | -122.42 | America/Los_Angeles
  Los Angeles | California | 900## | 213 | 34.05 | -118.24 | America/Los_Angeles
  Miami | Florida | 331## | 305 | 25.76 | -80.19
Canada, CA, 1, CAD, America/Toronto, en
  Toronto | Ontario | M5H 2N2 | 416 | 43.65 | -79.38
  Montreal | Quebec | H3B 1A7 | 514 | 45.50 | -73.57
  Vancouver | British Columbia | V6B 1A1 | 604 | 49.28 | -123.12 | America/Vancouver
Mexico, MX, 52, MXN, America/Mexico_City, es
  Mexico City | Ciudad de Mexico | 06### | 55 | 19.43 | -99.13
  Guadalajara | Jalisco | 441## | 33 | 20.67 | -103.35
Brazil, BR, 55, BRL, America/Sao_Paulo, pt
  Sao Paulo | Sao Paulo | 01310-### | 11 | -23.55 | -46.63
  Rio de Janeiro | Rio de Janeiro | 20040-### | 21 | -22.91 | -43.17
Argentina, AR, 54, ARS, America/Argentina/Buenos_Aires, es
  Buenos Aires | Buenos Aires | C10##AAB | 11 | -34.60 | -58.38
Chile, CL, 56, CLP, America/Santiago, es
  Santiago | Region Metropolitana | 83##### | 2 | -33.45 | -70.67
Colombia, CO, 57, COP, America/Bogota, es
  Bogota | Cundinamarca | 1103## | 601 | 4.71 | -74.07
United Kingdom, GB, 44, GBP, Europe/London, en
  London | England | SW# #@@ | 20 | 51.51 | -0.13
  Manchester | England | M# #@@ | 161 | 53.48 | -2.24
  Edinburgh | Scotland | EH# #@@ | 131 | 55.95 | -3.19
  Leeds | England | LS# #@@ | 113 | 53.80 | -1.55
  Bristol | England | BS# #@@ | 117 | 51.45 | -2.59
  Glasgow | Scotland | G# #@@ | 141 | 55.86 | -4.25
  Cardiff | Wales | CF# #@@ | 29 | 51.48 | -3.18
  Norwich | England | NR# #@@ | 1603 | 52.63 | 1.30
  Oxford | England | OX# #@@ | 1865 | 51.75 | -1.26
Ireland, IE, 353, EUR, Europe/Dublin, en
  Dublin | Leinster | D02 AF30 | 1 | 53.35 | -6.26
Germany, DE, 49, EUR, Europe/Berlin, de
  Berlin | Berlin | 101## | 30 | 52.52 | 13.41
  Hamburg | Hamburg | 200## | 40 | 53.55 | 9.99
  Munich | Bavaria | 803## | 89 | 48.14 | 11.58
  Cologne | North Rhine-Westphalia | 506## | 221 | 50.94 | 6.96
France, FR, 33, EUR, Europe/Paris, fr
  Paris | Ile-de-France | 750## | 1 | 48.86 | 2.35
  Lyon | Auvergne-Rhone-Alpes | 6900# | 4 | 45.76 | 4.84
  Marseille | Provence-Alpes-Cote d'Azur | 1300# | 4 | 43.30 | 5.37
Spain, ES, 34, EUR, Europe/Madrid, es
  Madrid | Madrid | 280## | 91 | 40.42 | -3.70
  Barcelona | Catalonia | 080## | 93 | 41.39 | 2.17
  Valencia | Valencian Community | 460## | 96 | 39.47 | -0.38
  Seville | Andalusia | 410## | 95 | 37.39 | -5.98
  Zaragoza | Aragon | 500## | 976 | 41.65 | -0.89
  Malaga | Andalusia | 290## | 952 | 36.72 | -4.42
  Bilbao | Basque Country | 480## | 944 | 43.26 | -2.93
  Granada | Andalusia | 180## | 958 | 37.18 | -3.60
  Salamanca | Castile and Leon | 370## | 923 | 40.97 | -5.66
  Oviedo | Asturias | 330## | 985 | 43.36 | -5.84
  Murcia | Region of Murcia | 300## | 968 | 37.98 | -1.13
  Santander | Cantabria | 390## | 942 | 43.46 | -3.80
Portugal, PT, 351, EUR, Europe/Lisbon, pt
  Lisbon | Lisbon | 1100-### | 21 | 38.72 | -9.14
  Porto | Porto | 4000-### | 22 | 41.15 | -8.61
Italy, IT, 39, EUR, Europe/Rome, it
  Rome | Lazio | 001## | 06 | 41.90 | 12.50
  Milan | Lombardy | 201## | 02 | 45.46 | 9.19
Netherlands, NL, 31, EUR, Europe/Amsterdam, nl
  Amsterdam | North Holland | 1012 AB | 20 | 52.37 | 4.90
  Rotterdam | South Holland | 3011 AA | 10 | 51.92 | 4.48
Belgium, BE, 32, EUR, Europe/Brussels, fr
  Brussels | Brussels | 10## | 2 | 50.85 | 4.35
Switzerland, CH, 41, CHF, Europe/Zurich, de
  Zurich | Zurich | 80## | 44 | 47.37 | 8.54
  Geneva | Geneva | 120# | 22 | 46.20 | 6.14
Austria, AT, 43, EUR, Europe/Vienna, de
  Vienna | Vienna | 10## | 1 | 48.21 | 16.37
Sweden, SE, 46, SEK, Europe/Stockholm, sv
  Stockholm | Stockholm | 111 ## | 8 | 59.33 | 18.07
Norway, NO, 47, NOK, Europe/Oslo, no
  Oslo | Oslo | 01## | 22 | 59.91 | 10.75
Denmark, DK, 45, DKK, Europe/Copenhagen, da
  Copenhagen | Hovedstaden | 10## | 33 | 55.68 | 12.57
Finland, FI, 358, EUR, Europe/Helsinki, fi
  Helsinki | Uusimaa | 001## | 9 | 60.17 | 24.94
Poland, PL, 48, PLN, Europe/Warsaw, pl
  Warsaw | Masovia | 00-### | 22 | 52.23 | 21.01
  Krakow | Lesser Poland | 31-### | 12 | 50.06 | 19.94
Czechia, CZ, 420, CZK, Europe/Prague, cs
  Prague | Prague | 110 00 | 2 | 50.08 | 14.44
Hungary, HU, 36, HUF, Europe/Budapest, hu
  Budapest | Budapest | 105# | 1 | 47.50 | 19.04
Greece, GR, 30, EUR, Europe/Athens, el
  Athens | Attica | 105 ## | 21 | 37.98 | 23.73
Turkey, TR, 90, TRY, Europe/Istanbul, tr
  Istanbul | Istanbul | 341## | 212 | 41.01 | 28.98
Ukraine, UA, 380, UAH, Europe/Kyiv, uk
  Kyiv | Kyiv | 010## | 44 | 50.45 | 30.52
Israel, IL, 972, ILS, Asia/Jerusalem, he
  Tel Aviv | Tel Aviv | 61##### | 3 | 32.09 | 34.78
United Arab Emirates, AE, 971, AED, Asia/Dubai, ar
  Dubai | Dubai | 00000 | 4 | 25.20 | 55.27
Egypt, EG, 20, EGP, Africa/Cairo, ar
  Cairo | Cairo | 115## | 2 | 30.04 | 31.24
Nigeria, NG, 234, NGN, Africa/Lagos, en
  Lagos | Lagos | 1012## | 1 | 6.52 | 3.38
Kenya, KE, 254, KES, Africa/Nairobi, sw
  Nairobi | Nairobi | 001## | 20 | -1.29 | 36.82
South Africa, ZA, 27, ZAR, Africa/Johannesburg, en
  Cape Town | Western Cape | 80## | 21 | -33.92 | 18.42
  Johannesburg | Gauteng | 20## | 11 | -26.20 | 28.05
India, IN, 91, INR, Asia/Kolkata, hi
  Mumbai | Maharashtra | 4000## | 22 | 19.08 | 72.88
  Delhi | Delhi | 1100## | 11 | 28.61 | 77.21
  Bengaluru | Karnataka | 5600## | 80 | 12.97 | 77.59
China, CN, 86, CNY, Asia/Shanghai, zh
  Beijing | Beijing | 1000## | 10 | 39.90 | 116.41
  Shanghai | Shanghai | 2000## | 21 | 31.23 | 121.47
Japan, JP, 81, JPY, Asia/Tokyo, ja
  Tokyo | Tokyo | 100-00## | 3 | 35.68 | 139.65
  Osaka | Osaka | 530-00## | 6 | 34.69 | 135.50
South Korea, KR, 82, KRW, Asia/Seoul, ko
  Seoul | Seoul | 045## | 2 | 37.57 | 126.98
Singapore, SG, 65, SGD, Asia/Singapore, en
  Singapore | Singapore | 0189## | 6 | 1.35 | 103.82
Indonesia, ID, 62, IDR, Asia/Jakarta, id
  Jakarta | Jakarta | 101## | 21 | -6.21 | 106.85
Thailand, TH, 66, THB, Asia/Bangkok, th
  Bangkok | Bangkok | 101## | 2 | 13.76 | 100.50
Australia, AU, 61, AUD, Australia/Sydney, en
  Sydney | New South Wales | 2000 | 2 | -33.87 | 151.21
  Melbourne | Victoria | 3000 | 3 | -37.81 | 144.96 | Australia/Melbourne
New Zealand, NZ, 64, NZD, Pacific/Auckland, en
  Auckland | Auckland | 10## | 9 | -36.85 | 174.76
"""


def _read() -> tuple[Place, ...]:
    places, nation = [], ["", "", "", "", "", ""]
    for line in _TABLE.strip().splitlines():
        if not line.startswith(" "):
            nation = [part.strip() for part in line.split(",")]
            continue
        city, region, post, area, lat, lon, *zone = (part.strip() for part in line.split("|"))
        country, code, dial, currency, timezone, language = nation
        places.append(
            Place(
                city, region, post, area, float(lat), float(lon), country, code, dial, currency,
                zone[0] if zone else timezone, language,
            )
        )  # fmt: skip
    return tuple(places)


PLACES = _read()
_SPANISH = """
Mexico City = Ciudad de México; Bogota = Bogotá; Seville = Sevilla; Malaga = Málaga; Paris = París;
Lisbon = Lisboa; London = Londres; Rome = Roma; Milan = Milán; Berlin = Berlín; Munich = Múnich;
Brussels = Bruselas; New York = Nueva York; Catalonia = Cataluña; Andalusia = Andalucía;
Valencian Community = Comunidad Valenciana; Aragon = Aragón; Basque Country = País Vasco;
Castile and Leon = Castilla y León; Region of Murcia = Región de Murcia; Spain = España;
Mexico = México; Brazil = Brasil; United States = Estados Unidos; United Kingdom = Reino Unido;
Germany = Alemania; France = Francia; Italy = Italia; Netherlands = Países Bajos; Belgium = Bélgica;
Switzerland = Suiza; Sweden = Suecia; Norway = Noruega; Denmark = Dinamarca; Finland = Finlandia;
Poland = Polonia; Greece = Grecia; Turkey = Turquía; Ukraine = Ucrania; Egypt = Egipto;
Kenya = Kenia; South Africa = Sudáfrica; Japan = Japón; South Korea = Corea del Sur;
Singapore = Singapur; Thailand = Tailandia; New Zealand = Nueva Zelanda; Ireland = Irlanda;
Czechia = Chequia; Hungary = Hungría; Canada = Canadá; Santiago = Santiago de Chile;
Region Metropolitana = Región Metropolitana; Ciudad de Mexico = Ciudad de México;
Morocco = Marruecos; Peru = Perú; Ecuador = Ecuador
"""
_PAIRS = [pair.partition(" = ") for pair in _SPANISH.replace("\n", " ").split(";")]
IN_SPANISH = {english.strip(): spanish.strip() for english, _, spanish in _PAIRS}
