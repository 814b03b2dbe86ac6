{# A category's base price. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import decimal with context %}
{% block changes %}
  COALESCE(feed_rows.base_price, 0) + {{ decimal('price', 1, 9000, 2) }} AS base_price,
{% endblock %}
