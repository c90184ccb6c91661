// The types on the wire. They carry no attributes, as on the vendor's page, so that
// DataContractSerializer and Json.NET choose names, namespaces and order themselves.
using System;
using System.Collections.Generic;
using System.Runtime.Serialization;

// No CLR namespace: the XML namespace then ends in a slash.
public class CancellationCreation
{
    public long? OrderID { get; set; }
    public long? CreatorID { get; set; }
    public string PIN { get; set; }
    public bool IsInternationalOrder { get; set; }
    public Guid? InternationalOrderUID { get; set; }
}

namespace TPP.Contracts.Services.Order
{
    public class CancellationCreationResult
    {
        public long? OrderID { get; set; }
        public Guid? InternationalOrderUID { get; set; }
        public bool Success { get; set; }
        public List<string> Errors { get; set; }
    }
}

namespace TppMono
{
    using TPP.Contracts.Services.Order;

    // The same result for a server that leaves null members out.
    [DataContract(Name = "CancellationCreationResult", Namespace = Namespaces.Results)]
    public class SparseResult
    {
        [DataMember(EmitDefaultValue = false)] public List<string> Errors { get; set; }
        [DataMember(EmitDefaultValue = false)] public Guid? InternationalOrderUID { get; set; }
        [DataMember(EmitDefaultValue = false)] public long? OrderID { get; set; }
        [DataMember] public bool Success { get; set; }

        public static SparseResult Of(CancellationCreationResult result)
        {
            return new SparseResult
            {
                Errors = result.Errors,
                InternationalOrderUID = result.InternationalOrderUID,
                OrderID = result.OrderID,
                Success = result.Success,
            };
        }
    }

    public static class Namespaces
    {
        public const string Results = "http://schemas.datacontract.org/2004/07/TPP.Contracts.Services.Order";
        public const string Strings = "http://schemas.microsoft.com/2003/10/Serialization/";
        public const string Arrays = "http://schemas.microsoft.com/2003/10/Serialization/Arrays";
        public const string Instance = "http://www.w3.org/2001/XMLSchema-instance";
    }
}
