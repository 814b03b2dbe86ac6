{# Chance as arithmetic: the same seed, row and salt always give the same value. The importing template sets `row`, the
   number of the row that the values belong to. Salts name the value; two values with one salt agree. #}

{# 0 to n - 1. The square is what makes it look like chance: without it the draws of successive rows go round in circles. #}
{% macro draw(salt, n) -%}
{% set drawn -%}
MOD(CAST({{ row }} AS BIGINT) * {{ constant(salt, 1) }} + {{ constant(salt, 2) }}, {{ primes[0] }})
{%- endset %}
MOD(MOD(MOD({{ drawn }} * {{ drawn }}, {{ primes[1] }}) * {{ constant(salt, 3) }}, {{ primes[0] }}), {{ n }})
{%- endmacro %}

{# low to high #}
{% macro between(salt, low, high) -%}
{{ low }} + {{ draw(salt, high - low + 1) }}
{%- endmacro %}

{# true in that many of a hundred rows #}
{% macro chance(salt, percent) -%}
{{ draw('chance of ' ~ salt, 100) }} < {{ percent }}
{%- endmacro %}

{% macro text(value) -%}
CAST({{ value }} AS VARCHAR(20))
{%- endmacro %}

{# one of some texts #}
{% macro one_of(salt, choices) -%}
CASE {{ draw(salt, choices | length) }}
{%- for choice in choices %} WHEN {{ loop.index0 }} THEN '{{ choice }}'{% endfor %} END
{%- endmacro %}

{# that many decimal digits, at most nine #}
{% macro digits(salt, count) -%}
LPAD({{ text(draw(salt, 10 ** count)) }}, {{ count }}, '0')
{%- endmacro %}

{# that many capital letters, at most six #}
{% macro letters(salt, count) -%}
{% for place in range(count) %}
CHR(CAST(65 + MOD({{ draw(salt, 26 ** count) }} / {{ 26 ** place }}, 26) AS INTEGER))
{%- if not loop.last %} || {% endif %}
{% endfor %}
{%- endmacro %}

{# a decimal number with that scale, of low to high units in its last place #}
{% macro decimal(salt, low, high, scale) -%}
CAST(CAST({{ between(salt, low, high) }} AS NUMERIC(18, {{ scale }})) / {{ 10 ** scale }} AS NUMERIC(18, {{ scale }}))
{%- endmacro %}

{# a moment less than n units later #}
{% macro later(moment, salt, unit, n) -%}
({{ moment }} + {{ draw(salt, n) }} * INTERVAL '1 {{ unit }}')
{%- endmacro %}

{# a day less than n days later #}
{% macro day_later(moment, salt, n) -%}
CAST({{ later(moment, salt, 'day', n) }} AS DATE)
{%- endmacro %}

{# when the row was last updated: never after it was created in three of ten rows, else within ten months #}
{% macro updated(created) -%}
CASE WHEN {{ chance('updated_at', 30) }} THEN {{ created }} ELSE {{ later(created, 'updated_at', 'minute', 430000) }} END
{%- endmacro %}

{# joins a word of a kind under an alias #}
{% macro word(alias, kind, salt) -%}
INNER JOIN seed_words AS {{ alias }}
  ON {{ alias }}.kind = '{{ kind }}'
  AND {{ alias }}.word_number = {{ draw(salt, words[kind]) }}
{%- endmacro %}

{# the id of one of the client's staff #}
{% macro staff(client, salt) -%}
{{ client }} + {{ clients }} * {{ draw(salt, staff_per_client) }}
{%- endmacro %}

{# a mobile number #}
{% macro mobile(salt) -%}
CASE WHEN {{ chance(salt ~ ' prefix', 60) }} THEN '+91' ELSE '' END || {{ text(between(salt ~ ' head', 6, 9)) }} || {{ digits(salt, 9) }}
{%- endmacro %}

{# a name with an ending, or without it where it has that already #}
{% macro renamed(name, ending) -%}
CASE
  WHEN RIGHT(TRIM({{ name }}), {{ ending | length }}) = '{{ ending }}' THEN LEFT(TRIM({{ name }}), LENGTH(TRIM({{ name }})) - {{ ending | length }})
  ELSE TRIM({{ name }}) || '{{ ending }}'
END
{%- endmacro %}

{# another id from 1 to the highest than the present one #}
{% macro another(present, salt, highest) -%}
1 + MOD(COALESCE({{ present }}, 1) + {{ draw(salt, highest - 1) }}, {{ highest }})
{%- endmacro %}

{# the id of another one of the client's first staff than the present one #}
{% macro another_inviter(present, salt) -%}
{{ client_number }} + {{ clients }} * MOD(COALESCE({{ present }}, 0) / {{ clients }} + 1 + {{ draw(salt, inviters - 1) }}, {{ inviters }})
{%- endmacro %}
