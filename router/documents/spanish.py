"""The Spanish words that carry no meaning, and the base form of a Spanish word. Pure.

A list covers verbs whose forms differ in the middle; rules remove endings. All words are in lower
case and without accents, as `folded` returns them. Not covered: pronouns inside a verb's form other
than at its end, and words of two languages.
"""

import re
import unicodedata
from functools import lru_cache

STOP = frozenset(
    "a al algo alguien algun alguna algunas alguno algunos alli ante antes aquel aquella aqui asi "
    "aun aunque bajo bien cada casi como con contra cual cuales cualquier cualquiera cuando "
    "cuanta cuantas cuanto cuantos cuyo da dan dar de del desde donde dos e el ella ellas ello "
    "ellos en entonces entre era eran eres es esa esas ese eso esos esta estaba estan estar estas "
    "este esto estos estoy fue fuera fueron gran ha haber habia habra han has hasta hay haya he "
    "hemos hace hacen hacer haces hago hizo hecho la las le les lo los luego mas me menos mi mia "
    "mio mis misma mismo mucha muchas mucho muchos muy nada ni ningun ninguna no nos nosotros "
    "nuestra nuestro o os otra otras otro otros para pero poco por porque pues puede pueda pueden "
    "puedo poder podria que quien quienes quiero quiere quisiera queria se sea sean ser sera si "
    "sido sin sino so sobre solo somos son soy su sus suya suyo tal tambien tampoco tan tanta "
    "tanto te tengo tenga tener teneis tiene tienen tienes toda todas todavia todo todos tu tus "
    "un una unas uno unos va vale van vaya ver vez voy y ya yo debe deben debo deber favor saber "
    "sabe sabeis explica explicame dime cosa cosas gente persona personas necesito necesita "
    "necesitan hola gracias usted ustedes vosotros porfa segun tras durante mediante".split()
)  # fmt: skip

_IRREGULAR = {
    form: base
    for line in (
        "abrir abre abren abro abierto abierta abiertos abiertas abrio abra abriran",
        "cerrar cierra cierran cierro cerrado cerrada cierre cierren cerro",
        "costar cuesta cuestan coste costo costara costaba costaria costes",
        "pagar paga pagan pago pagos pague paguen pagado pagada pagaba pagare pagara",
        "empezar empieza empiezan empiece comienza comienzan comenzar comienzo empezo",
        "perder pierde pierden pierdo perdido perdida perdidas perdio perdi pierda",
        "renovar renueva renuevan renuevo renovacion renueve renovado",
        "devolver devuelve devuelven devuelto devolucion devuelva devolvio",
        "volver vuelve vuelven vuelto vuelva", "mover mueve mueven",
        "pedir pide piden pido pidio pedido pida", "servir sirve sirven",
        "jugar juega juegan juego juegos", "probar prueba prueban",
        "cobrar cobra cobran cobre cobro cobrado cobraba cobros",
        "recoger recoge recogen recojo recogida recogidas recoja", "elegir elige eligen",
        "inscribir inscribe inscriben inscripcion inscripciones inscrito inscritos inscribo",
        "solicitar solicita solicitan solicitud solicitudes solicito", "dormir duerme duermen",
        "entrar entra entran entro entrada entradas entren", "morir muere mueren murio muerto",
        "salir sale salen salgo salida salidas saldra", "venir viene vienen vengo vino",
        "poner pone ponen pongo puesto puso ponga pongan", "decir dice dicen digo dijo dicho",
        "seguir sigue siguen", "conseguir consigue consiguen", "sentir siente sienten",
        "encontrar encuentra encuentran encuentro", "mostrar muestra muestran",
        "contar cuenta cuentan", "acostar acuesta acuestan", "traer trae traen traigo trajo",
        "vender vende venden vendo venta ventas vendido", "romper rompe roto rota rompio",
        "escribir escribe escrito escrita", "morder muerde", "llover llueve lluvia lluvias",
        "votar vota votan voto", "matricular matricula matriculas matriculado matricularse",
        "nacer nace nacen nacido nacio nacimiento", "conducir conduce conduzco",
        "libre libres", "mes meses", "ley leyes", "luz luces", "vez veces", "pez peces",
        "lunes", "martes", "miercoles", "jueves", "viernes", "crisis",
        "autobus autobuses bus buses",
        "nino ninos nina ninas", "menor menores", "mayor mayores", "joven jovenes",
    )
    for base, *forms in [line.split()]
    for form in (base, *forms)
}  # fmt: skip

# Longer endings come first; each needs so many letters before it.
_PRONOUNS = re.compile(r"(?<=[aei]r)(?:se|me|te|lo|la|le|nos|los|las|les|selo|sela|melo|mela)$")
_ENDINGS = tuple(
    re.compile(rf"(?<=\w{{{least}}})(?:{endings})$")
    for least, endings in (
        (4, "amientos?|imientos?|aciones|acion|iciones|icion|adoras?|adores|ador|edores|edor"),
        (4, "amente|mente|idades|idad"),
        (3, "abamos|ariamos|eriamos|iriamos|aremos|eremos|iremos|asteis|isteis"),
        (3, "arian|erian|irian|aran|eran|iran|ieron|ieran|iendo|aron|aban"),
        (4, "adas|ados|idas|idos|ada|ado|ida|ido"),
        (3, "ando|aba|ara|iera|iese|amos|emos|imos|are|ere|ire|ar|er|ir|an|en"),
    )
)
_PLURAL = re.compile(r"(?<=\w\w\w)(?:ces|(?<=[bcdfghjklmnpqrtvwxyz])es|(?<=[aeiou])s)$")


def folded(text: str) -> str:
    """The text in lower case and without accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.lower())
    return "".join(character for character in parts if not unicodedata.combining(character))


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The base form of a folded word: `bibliotec` for `bibliotecas`, `abrir` for `abierto`."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.isalpha():
        return word
    word = _PRONOUNS.sub("", word)
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    singular = _PLURAL.sub(lambda end: "z" if end[0] == "ces" else "", word)
    if singular in _IRREGULAR:
        return _IRREGULAR[singular]
    for form in dict.fromkeys((word, singular)):
        for ending in _ENDINGS:
            stump = ending.sub("", form)
            if stump != form:
                return _soft(stump)
    return _soft(re.sub(r"(?<=\w\w\w)[aeo]$", "", singular))


def _soft(stump: str) -> str:
    """One spelling of the last sound, which Spanish writes by the vowel after it."""
    stump = re.sub(r"(?<=\w\w)gu$", "g", stump)
    return re.sub(r"(?<=\w\w)qu$", "c", stump)
