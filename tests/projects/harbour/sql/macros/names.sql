{# Metres as text. #}
{% macro metres(column, digits=1) -%}
  ROUND({{ column }}, {{ digits }})
{%- endmacro %}

{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
  {%- if custom_alias_name is none -%}
    {{ return(node.name) }}
  {%- else -%}
    {{ custom_alias_name | trim | lower }}
  {%- endif -%}
{%- endmacro %}

{% macro berths() %}
  {% do return(['north', 'south'] + var('pilots')) %}
{% endmacro %}
