{{ config(materialized='view', schema='shown', alias=' Days_Of_Flags ', database='archive') }}
SELECT flags.code, CURRENT_DATE AS day
FROM {{ ref('flags') }} AS flags
