"""What people ask of data in everyday words is answered rightly, or refused by name."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.request import read
from tests.sandbox.reading import computed

ORDERS = "item | units | price\ncandles | 140 | 8.50\nlamps | 62 | 19.90\ncards | 210 | 3.25\n\n"
PEDIDOS = "artículo | unidades | precio\nvelas | 140 | 8,50\nlámparas | 62 | 19,90\ntarjetas | 210 | 3,25\n\n"
STORES = "store;region;sales\nA;north;100\nB;south;150\nC;north;130\nD;south;90\n"
MARKS = "Marks out of 20: Ana 12, Ben 15.5, Carla 9, Dev 17, Eli 13.5. "
NOTAS = "Notas sobre 20: Ana 12, Beto 15.5, Carla 9, Diego 17, Elisa 13.5. "

ANSWERED: list[tuple[str, list[Any]]] = [
    # what is left out, and what is left
    ("Dance contest, judges gave 7.5 8.2 9.1 6.9 8.8 8.4 9.6. Throw away the highest and the lowest, then average.", [8.4]),
    ("Gymnastics scoring drops the best and the worst mark and averages the rest. Our marks: 9.2, 8.7, 9.5, 7.1, 9.0, 8.8, 9.9. Score?", [9.04]),
    ("Mis notas de los controles son 7, 9, 4, 10, 8. El profesor elimina la más baja. ¿Cuál es mi media?", [8.5]),
    ("response times in ms: 21 23 22 25 24 98 22 23. strip outliers w/ the 1.5*IQR rule and give the mean of what's left", [22.857142857]),
    ("tiempos de respuesta en ms: 21 23 22 25 24 98 22 23. saca los atípicos con la regla de 1.5*IQR y dame la media de lo que queda", [22.857142857]),
    ("trim 20% from each end of 3, 8, 9, 10, 11, 12, 13, 14, 15, 60 and take the mean", [11.5]),
    ("recorta un 20% de cada extremo de 3, 8, 9, 10, 11, 12, 13, 14, 15, 60 y calcula la media", [11.5]),
    ("If I remove 40 from 10, 12, 11, 40, what's the new mean?", [11.0]),
    ("mean of the best three scores: 45, 67, 89, 70, 92", [83.666666667]),
    ("the three largest numbers in 4, 18, 7, 25, 13, 9", [25, 18, 13]),
    # marks with weights, amounts with prices, counts with values
    ("My course grade: homework 82 (counts 20%), midterm 74 (30%), final exam 91 (the other half). What do I end up with?", [84.1]),
    ("Mi nota del curso: tareas 82 (pesan 20%), parcial 74 (30%) y examen final 91 (la otra mitad). ¿Con cuánto termino?", [84.1]),
    ("Assignments are 40% of the grade and I got 88; the exam is 60% and I got 72. What is my overall mark?", [78.4]),
    ("GPA: 4 credits at 3.7, 3 credits at 3.0, 3 credits at 4.0, 2 credits at 2.3", [3.366666667]),
    ("My grades this term: Calculus 7.2 (6 credits), Drawing 8.5 (3 credits), Chemistry 6.0 (9 credits), English 9.1 (4 credits). What is my average weighted by credits?", [7.231818182]),
    ("Compré 3 kg a 2.50, 5 kg a 2.20 y 2 kg a 3.00. ¿Precio medio por kg?", [2.45]),
    ("3 tickets at 12.50 each, 2 sodas at 3 each and 1 popcorn at 6. How much did I spend in total?", [49.5]),
    ("12 students scored 70, 8 scored 80, and 5 scored 90. What is the mean score?", [77.2]),
    ("We had 120 5-star reviews, 80 4-star, 25 3-star, 10 2-star and 15 1-star. Average rating?", [4.12]),
    ("60% of my money is in stocks returning 8% and 40% in bonds returning 3%. What's the portfolio return?", [6.0]),
    ("Values 1, 2, 3 occur with frequencies 5, 3, 2. Find the mean.", [1.7]),
    (ORDERS + "total revenue?", [3106.3]),
    (PEDIDOS + "¿ingresos totales?", [3106.3]),
    # beside the mean
    (MARKS + "By how many marks is Dev above the class average?", [3.6]),
    (NOTAS + "¿Cuántos puntos saca Diego por encima del promedio del grupo?", [3.6]),
    ("Which students scored above average? Ana 12, Ben 15.5, Carla 9, Dev 17, Eli 13.5", ["Ben", "Dev", "Eli"]),
    ("¿Cuántas de estas notas están por encima de la media: 55, 70, 80, 90, 65?", [2]),
    # changes along a series, shares and ranks
    ("Sales were 450 in 2021, 540 in 2022 and 513 in 2023. What was the percentage change each year?", [20, -5]),
    ("Las ventas fueron 450 en 2021, 540 en 2022 y 513 en 2023. ¿Cuál fue la variación porcentual cada año?", [20, -5]),
    ("By what percent did sales grow from January to March? January 200, February 210, March 260", [30]),
    ("Las visitas por mes fueron 1200, 1350, 1280 y 1500. ¿En qué porcentaje crecieron del primer al último mes?", [25]),
    ("CAGR of sales 100, 120, 150, 200", [25.992104989]),
    ("Votes: Alice 340, Bob 280, Carol 180. What percentage did each candidate get?", [42.5, 35, 22.5]),
    ("Votos: Alicia 340, Beto 280, Carla 180. ¿Qué porcentaje obtuvo cada candidato?", [42.5, 35, 22.5]),
    ("Ordena de mejor a peor: Ana 12, Beto 15.5, Carla 9, Diego 17", ["Diego", "Beto", "Ana", "Carla"]),
    ("Top 3 of these by revenue: A 120, B 340, C 95, D 210, E 180", ["B", "D", "E"]),
    ("Household incomes (thousands): 12, 15, 20, 33, 70. What is the Gini coefficient?", [0.357333333]),
    ("La inversión en publicidad fue de 1, 2, 3, 5 y 6 mil dólares y las ventas de 22, 28, 37, 51 y 55 unidades. Ajusta una recta: ¿cuántas unidades predice con 4,5 mil?", [46.133720930]),
    # tables
    (STORES + "which store sold the most?", ["B"]),
    (STORES + "total sales per region, and the average per region", [230, 240, 115, 120]),
    ("nombre,equipo,puntos\nAna,rojo,10\nBeto,azul,12\nCid,rojo,7\nDea,azul,20\npromedio de puntos por equipo", [8.5, 16]),
    ("name,age,city\nAnn,30,Rome\nBob,45,Oslo\nCid,27,Rome\nhow many people live in Rome?", [2]),
    ("tienda;ventas\nA;100\nB;150\nC;130\n¿qué tienda vendió más?", ["B"]),
    ("weights 60, 72, 55 kg and heights 165, 178, 160 cm. average of each?", [62.333333333, 167.666666667]),
    ("Mean of A and mean of B: A 5, 6, 7; B 8, 9, 10", [6, 9]),
    ("Till takings Mon to Sat were $1,240, $985.50, $1,102, $1,430.25, $2,010 and $2,655.75. Could you give me the week's total and the daily average please?", [9423.5, 1570.583333333]),
    ("El grupo 4A sacó 62 71 58 80 75 66 69 y el 4B sacó 74 83 70 79 88 77 81. ¿La diferencia es real o pura casualidad? Quisiera el valor p de una prueba t para dos muestras.", [0.016713926]),
    # tests, and what was sold
    ("pain scores for 8 patients before the new protocol: 7 6 8 5 9 7 6 8 and after (same order): 5 5 6 5 6 6 4 7. paired t test, t and two-tailed p?", [4.582575695, 0.002535996]),
    ("Assembly times (min). Old line: 12.1; 14.3; 13.3; 15.0; 11.8; 13.9. New line: 10.2; 12.9; 9.1; 14.8; 8.7; 10.5; 13.6; 9.9. Variances are clearly not equal so use Welch, two-sided: t, df, p.", [2.311381372, 11.292440178, 0.040630706]),
    ("Shoe sizes I sold today: 38, 40, 39, 41, 38, 42, 39, 39, 37, 40, 39. Which size sold the most?", [39]),
]  # fmt: skip


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


@pytest.mark.parametrize(("text", "figures"), ANSWERED, ids=[text[:60] for text, _ in ANSWERED])
def test_everyday_words_get_the_right_figures(text: str, figures: list[Any]):
    result, level = computed(text)
    leaves = list(_leaves(result))
    assert level == "spec"
    for figure in figures:
        if isinstance(figure, str):
            assert figure in leaves
        else:
            numbers = [leaf for leaf in leaves if not isinstance(leaf, str | bool)]
            assert any(leaf == pytest.approx(figure, rel=1e-4) for leaf in numbers), result


LOOKALIKES = [
    ("Homework 85 worth 20%, midterm 78 worth 30%, final 91 worth 40%. What's my final grade?", "90%"),
    ("Homework 85 (20%), midterm 78 (30%), final 91 (50%). What's my grade without the midterm?", "without"),
    ("I bought 10 shares at $20 and sold 10 shares at $30. total?", ""),
    ("2 people have 3 dogs and 3 people have 2 cats. average?", ""),
    ("mean of the best two times: 45, 67, 89", "largest or the smallest"),
    ("Rank from best to worst: lap times Ana 62, Ben 60, Cleo 65", "largest or the smallest"),
    ("sum of the values above the mean: 3, 5, 9, 20", "sum of values beside the mean"),
    ("how many are above twice the mean: 3, 5, 9, 20", "twice"),
    ("Average monthly growth rate: 200, 210, 260", "the mean of the percent_changes"),
    ("Marks out of 20: 12, 15, 18. How many got at least 75%?", "percentage of"),
    ("mean with and without outliers: 10, 12, 11, 13, 12, 40", "with and without"),
    ("Cap outliers and average: 10, 12, 11, 13, 12, 40", "Cap"),
    ("mean of 900, 950 and 1 thousand", "thousand"),
    (STORES + "average sales of the northern stores", "northern"),
    ("Average of the first 3 values and average of the last 3: 4, 6, 8, 10, 12, 14", "every figure"),
    ("dept,salary\nIT,5000\nHR,4000\nIT,6000\nwhich dept earns above average?", "several values"),
    ("dept,salary\nIT,5000\nHR,4000\nIT,6000\nwhich dept has the highest total salary?", "maximum of the sum"),
    ("month,sales\nJan,100\nFeb,120\nMar,90\nApr,150\naverage sales from Feb to Apr", "between Feb and Apr"),
    ("What percentage of the budget is rent and food together? rent 900, food 350, fun 120", "several names"),
    ("Total return of 5%, 10%, -3%", "not added up"),
    ("I need the average of row 2: [1,2,3],[4,5,6]", "row 2"),
    ("units,cost\n10,1\n4,2\n2,5\ntotal revenue", "no price"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "says"), LOOKALIKES, ids=[text[:60] for text, _ in LOOKALIKES])
def test_what_only_looks_alike_is_refused(text: str, says: str):
    interpretation = read(text)
    assert interpretation.spec is None, interpretation.spec
    assert says in "; ".join(interpretation.reasons)
