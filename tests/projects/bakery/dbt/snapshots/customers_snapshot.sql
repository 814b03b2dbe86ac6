{% snapshot customers_snapshot %}
{{ config(target_schema='bakery_snapshots', unique_key='id', strategy='timestamp', updated_at='updated_at') }}
SELECT * FROM {{ source('shop', 'customers') }}
{% endsnapshot %}
