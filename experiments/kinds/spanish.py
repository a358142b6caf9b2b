"""Spanish prompts for this experiment: what people ask, over many topics. Written by us."""

_TOPICS = (
    ("la fotosíntesis", "las plantas"),
    ("la inflación", "los precios"),
    ("la Revolución francesa", "la monarquía"),
    ("el contrato de alquiler", "el inquilino"),
    ("la gramática inglesa", "los verbos"),
    ("el teorema de Pitágoras", "los triángulos"),
    ("la energía solar", "los paneles"),
    ("el cambio climático", "los océanos"),
    ("la diabetes", "los pacientes"),
    ("el fútbol europeo", "los equipos"),
    ("la novela moderna", "los lectores"),
    ("la contabilidad", "las facturas"),
    ("el sistema solar", "los planetas"),
    ("la nutrición infantil", "los niños"),
    ("el comercio electrónico", "las tiendas"),
    ("la probabilidad", "los dados"),
    ("la arquitectura gótica", "las catedrales"),
    ("el aprendizaje automático", "los datos"),
    ("la reforma laboral", "los empleados"),
    ("la migración de aves", "las rutas"),
)
_WORDINGS = (
    "¿Qué es {a} y para qué sirve?",
    "¿Cuál es la relación entre {a} y {b}?",
    "Explica {a} a una persona que no sabe nada del tema.",
    "Escribe un correo breve a mi jefe sobre {a}, con un tono amable.",
    "Escribe una función en Python que lea un archivo CSV sobre {a} y cuente {b}.",
    "¿Por qué es importante {a} para {b}? Razona paso a paso.",
    "Resume en tres frases lo que se sabe de {a}.",
    "Traduce al inglés: «{a} y {b} no siempre van juntos».",
    "Escribe un poema corto sobre {a}.",
    "Compara las ventajas y los inconvenientes de {a}, y di cuál es mejor para {b}.",
    "Si {b} son 48 y un tercio desaparece, ¿cuántos quedan? Muestra el cálculo.",
    "Dame una lista de cinco libros sobre {a}.",
    "Pregunta de opción múltiple sobre {a}: ¿quién estudia {b}? A. Un médico B. Un juez C. Un "
    "experto D. Nadie. Responde con una letra.",
    "Diseña un plan de cuatro semanas para aprender {a}, con objetivos para cada semana.",
    "Hola, tengo un problema con {a}: no entiendo qué pasa con {b}. ¿Me ayudas?",
    "Escribe una consulta SQL que muestre {b} de la tabla temas donde tema sea {a}.",
    "Corrige las faltas de esta frase: «{b} no save nada de {a}».",
    "¿Cuándo empezó {a}, y quién fue la primera persona que habló de {b}?",
    "Demuestra o refuta: sin {a} no habría {b}.",
    "Cuéntame algo divertido de {b}.",
    "Clasifica el sentimiento de esta reseña como positivo o negativo: «Me encantó todo lo que "
    "contaban de {a}, pero {b} me aburrieron».",
    "Devuelve un objeto JSON con los campos nombre y definición para {a}.",
    "Mi hijo tiene un examen sobre {a}. ¿Qué preguntas sobre {b} le pueden hacer?",
    "Analiza las consecuencias económicas de {a} para {b} en los próximos diez años.",
    "Dime en una palabra si {b} tienen que ver con {a}.",
)

PROMPTS = tuple(
    wording.format(a=topic, b=about) for topic, about in _TOPICS for wording in _WORDINGS
)
