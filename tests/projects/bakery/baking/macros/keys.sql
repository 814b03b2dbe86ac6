{# One text of several columns. #}
{% macro text_key(columns) -%}
  {{ return(adapter.dispatch('text_key', 'baking')(columns)) }}
{%- endmacro %}

{% macro default__text_key(columns) -%}
  MD5({% for column in columns %}COALESCE(CAST({{ column }} AS {{ dbt.type_string() }}), '?'){% if not loop.last %} || '-' || {% endif %}{% endfor %})
{%- endmacro %}
