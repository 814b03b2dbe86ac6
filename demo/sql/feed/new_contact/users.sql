{# A further contact of a company. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import digits, mobile with context %}
{% block changes %}
  {{ new.users }} + feed_rows.change_number AS id,
  LOWER(feed_rows.first_name) || '.' || {{ digits('email', 6) }} || '@mail.example' AS email,
  {{ mobile('phone') }} AS phone,
  1 AS status,
  'member' AS role,
  feed_rows.changed_at AS created_at,
{% endblock %}
{% block condition %}newest.first_name IS NOT NULL{% endblock %}
