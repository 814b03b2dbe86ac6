{# The upstream saves rows without changing them. #}
{% extends 'feed/change.sql' %}
{% set row = 'feed_rows.change_number' %}
