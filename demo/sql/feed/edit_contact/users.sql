{# A contact edits one to three columns. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
{% from 'macros.sql' import digits, draw, mobile, one_of, renamed with context %}
{% set columns = draw('columns', 4) %}
{% block changes %}
  CASE WHEN {{ columns }} IN (0, 1) THEN {{ mobile('phone') }} ELSE feed_rows.phone END AS phone,
  CASE WHEN {{ columns }} = 0 THEN NOT COALESCE(feed_rows.is_phone_verified, FALSE) ELSE feed_rows.is_phone_verified END AS is_phone_verified,
  CASE WHEN {{ columns }} IN (1, 2) THEN LOWER(feed_rows.first_name) || {{ digits('email', 5) }} || '@mail.example' ELSE feed_rows.email END AS email,
  CASE WHEN {{ columns }} IN (1, 3) THEN {{ renamed('COALESCE(feed_rows.last_name, feed_rows.first_name)', ' Rao') }} ELSE feed_rows.last_name END AS last_name,
{% endblock %}
