{# An early version of a company arrives late. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import digits, draw with context %}
{% block changes %}
  'Before ' || {{ digits('name', 6) }} AS name,
{% endblock %}
{% block cursor %}
  DATEADD(microsecond, CAST(1 + {{ draw('late', 900000) }} AS INTEGER), feed_rows.created_at) AS updated_at
{% endblock %}
{% block condition %}newest.updated_at > DATEADD(second, 1, newest.created_at){% endblock %}
