{# A company moves to another city. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import another with context %}
{% block changes %}
  {{ another('feed_rows.city_id', 'city', highest.cities) }} AS city_id,
{% endblock %}
