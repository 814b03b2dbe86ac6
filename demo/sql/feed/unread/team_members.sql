{# A member's approval limit. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import decimal with context %}
{% block changes %}
  COALESCE(feed_rows.approval_limit, 0) + {{ decimal('limit', 100, 900000, 2) }} AS approval_limit,
{% endblock %}
