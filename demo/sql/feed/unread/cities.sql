{# How many people live in a city. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% block changes %}
  feed_rows.population + 1 + feed_rows.population / 1000 AS population,
{% endblock %}
