{# A product category gets another name. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import renamed with context %}
{% block changes %}
  {{ renamed('feed_rows.name', ' (graded)') }} AS name,
{% endblock %}
