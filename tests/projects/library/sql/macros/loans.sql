{# Days by which a loan was late, NULL while it is out. #}
{% macro days_late(alias) -%}
  GREATEST(DATEDIFF(DAY, {{ alias }}.due_on, {{ alias }}.back_on), 0)
{%- endmacro %}

{# The fine of a loan in whole units of money. #}
{% macro fine(alias, per_day=var('fine_per_day')) -%}
  CAST({{ days_late(alias) }} * {{ per_day }} / 100.0 AS NUMERIC(10, 2))
{%- endmacro %}

{# The genres that have a column of their own, as names of columns. #}
{% macro genre_columns() %}
  {% set columns = [] %}
  {% for genre in var('genres') if genre != 'travel' or var('count_travel', true) %}
    {% do columns.append({'genre': genre, 'column': genre ~ '_loans'}) %}
  {% endfor %}
  {{ return(columns) }}
{% endmacro %}

{% test not_negative(model, column_name) %}
SELECT * FROM {{ model }} WHERE {{ column_name }} < 0
{% endtest %}
